import {
	type DecisionRow,
	decodeMessage,
	encodeDecisions,
	LOG_SUBJECT,
} from "#core/log";
import { findRow } from "#usecases/ingesting";
import { Slices } from "./breath.js";
import { type KeptPack, PackBlocks } from "./pack-blocks.js";
import type { RecentDecisions } from "./ports.js";

/** A message of the log, and between which ids, inclusive, those of its decisions are. */
interface Pack {
	readonly kept: KeptPack;
	/** Null where an erasure left nothing of it, and once it is forgotten. */
	bytes: Uint8Array | null;
	readonly count: number;
	readonly first: string;
	readonly last: string;
}

/**
 * The newest decisions of this decider, kept in memory until the database surely has them or so many came after: a decision can be
 * found from before its answer goes out. What is kept is the packs as they were published, one array of bytes for all decisions of a
 * pack: as rows, the newest 20,000 were half a million objects, and garbage collections stopped the process for 27 ms. Ids grow with
 * time, so few packs can have one, and an index of the ids would cost more than it saves.
 */
export class RememberedDecisions implements RecentDecisions {
	/** The oldest at `oldest`; what is before it is given back now and then. */
	private packs: (Pack | undefined)[] = [];
	private oldest = 0;
	private count = 0;
	private readonly blocks = new PackBlocks();

	/**
	 * @param waiting finds a decision that waits to be published, in memory or in the spool
	 * @param search finds one in the stream; throws where it cannot tell
	 * @param most so many are kept at least, and less than a pack more
	 */
	constructor(
		private readonly waiting: (
			id: string,
		) => DecisionRow | null | Promise<DecisionRow | null>,
		private readonly search: (
			id: string,
		) => Promise<DecisionRow | null> = async () => null,
		private readonly most = 20_000,
	) {}

	/** @param message of `segue.log.pack`, by now safe */
	remember(
		rows: readonly { readonly id: string }[],
		message: Uint8Array,
	): void {
		let first = rows[0]?.id ?? "";
		let last = first;
		for (const { id } of rows) {
			if (id < first) first = id;
			if (id > last) last = id;
		}
		const kept = this.blocks.keep(message);
		const { bytes } = kept;
		this.packs.push({ kept, bytes, count: rows.length, first, last });
		this.count += rows.length;
		this.keepMost();
	}

	async known(id: string): Promise<DecisionRow | null> {
		for (let place = this.packs.length - 1; place >= this.oldest; place--) {
			const { bytes, first, last } = this.packs[place] as Pack;
			if (bytes === null || id < first || id > last) continue;
			// A copy: what a row points to must stand when the pack's room is used again.
			const row = findRow(LOG_SUBJECT, bytes.slice(), id);
			if (row !== null) return row;
		}
		return await this.waiting(id);
	}

	async find(id: string): Promise<DecisionRow | null> {
		return (await this.known(id)) ?? (await this.search(id));
	}

	/**
	 * Takes out the rows that are gone, of the packs that may hold such; lets others through in between, since 20,000 decisions are 24 MB
	 * to look through.
	 */
	async forget(
		mayHold: (pack: Uint8Array) => boolean,
		isGone: (row: DecisionRow) => boolean,
	): Promise<void> {
		const slices = new Slices();
		for (const pack of this.packs.slice(this.oldest)) {
			if (pack?.bytes && mayHold(pack.bytes)) takeOut(pack, isGone);
			await slices.pause();
		}
	}

	private keepMost(): void {
		for (
			let pack = this.packs[this.oldest];
			pack !== undefined && this.count - pack.count >= this.most;
			pack = this.packs[this.oldest]
		) {
			this.count -= pack.count;
			pack.bytes = null;
			this.blocks.giveBack(pack.kept);
			this.packs[this.oldest++] = undefined;
		}
		if (2 * this.oldest <= this.packs.length) return;
		this.packs = this.packs.slice(this.oldest);
		this.oldest = 0;
	}
}

function takeOut(pack: Pack, isGone: (row: DecisionRow) => boolean): void {
	const { bytes } = pack;
	if (bytes === null) return;
	pack.bytes = without(bytes, isGone);
	// The room is not given back before long.
	if (pack.bytes !== bytes) bytes.fill(0);
}

/** The pack without the rows that are gone, under its number; null where all are. */
function without(
	pack: Uint8Array,
	isGone: (row: DecisionRow) => boolean,
): Uint8Array | null {
	const decoded = decodeMessage(LOG_SUBJECT, pack);
	if (decoded.kind !== "decisions") return pack;
	const rows = decoded.items.flatMap((item) => (item.ok ? [item.value] : []));
	const left = rows.filter((row) => !isGone(row));
	if (left.length === rows.length) return pack;
	return left.length === 0 ? null : encodeDecisions(left, decoded.publisher);
}
