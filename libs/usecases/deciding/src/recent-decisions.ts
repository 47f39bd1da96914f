import { type DecisionRow, LOG_SUBJECT, timeOfId } from "#core/log";
import type { Left } from "#usecases/erasing";
import { findRow } from "#usecases/ingesting";
import { Slices } from "./breath.js";
import type { RecentDecisions } from "./ports.js";

/** A message of the log, and between which ids, inclusive, those of its decisions are. */
interface Pack {
	/** Null where an erasure left nothing of it. */
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

	/** @param bytes a message of `segue.log.pack`, by now safe; the caller changes them no more */
	remember(rows: readonly { readonly id: string }[], bytes: Uint8Array): void {
		let first = rows[0]?.id ?? "";
		let last = first;
		for (const { id } of rows) {
			if (id < first) first = id;
			if (id > last) last = id;
		}
		this.packs.push({ bytes, count: rows.length, first, last });
		this.count += rows.length;
		this.forget();
	}

	async known(id: string): Promise<DecisionRow | null> {
		for (let place = this.packs.length - 1; place >= this.oldest; place--) {
			const { bytes, first, last } = this.packs[place] as Pack;
			if (bytes === null || id < first || id > last) continue;
			const row = findRow(LOG_SUBJECT, bytes, id);
			if (row !== null) return row;
		}
		return await this.waiting(id);
	}

	async find(id: string): Promise<DecisionRow | null> {
		return (await this.known(id)) ?? (await this.search(id));
	}

	/** Takes a unit's decisions out, letting others through in between: 20,000 decisions are 24 MB to look through. */
	async forgetUnit(takeOut: (pack: Uint8Array) => Left): Promise<void> {
		const slices = new Slices();
		for (const pack of this.packs.slice(this.oldest)) {
			if (pack === undefined || pack.bytes === null) continue;
			const left = takeOut(pack.bytes);
			if (left !== "all") pack.bytes = left === "nothing" ? null : left;
			await slices.pause();
		}
	}

	/** Whole packs of decisions made before the instant, milliseconds. The database has them, or the stream, where they are searched for. */
	forgetBefore(instant: number): void {
		this.drop((pack) => timeOfId(pack.last) < instant);
	}

	private forget(): void {
		this.drop((pack) => this.count - pack.count >= this.most);
	}

	/** The oldest, for as long as they may go. */
	private drop(mayGo: (pack: Pack) => boolean): void {
		for (
			let pack = this.packs[this.oldest];
			pack !== undefined && mayGo(pack);
			pack = this.packs[this.oldest]
		) {
			this.count -= pack.count;
			this.packs[this.oldest++] = undefined;
		}
		if (2 * this.oldest <= this.packs.length) return;
		this.packs = this.packs.slice(this.oldest);
		this.oldest = 0;
	}
}
