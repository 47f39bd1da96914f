import { type LiveFeature, type LiveKey, RETRACT } from "#core/experiment";
import type { SipKey } from "#core/policy";
import { type LiveValue, type Reading, readingOf, Shelf } from "./aggregate.js";
import type { Cells } from "./cells.js";
import { DecidedArms, type LiveDecision } from "./decided-arms.js";
import { type ErasedUnit, ErasedUnits } from "./erased-units.js";
import { EventNumbers } from "./event-numbers.js";
import { asksDecisions, byKind, reachOf, textOf } from "./feature-needs.js";
import type { ItemVectors } from "./item-vectors.js";
import { KeyHash } from "./key-hash.js";
import { KeyTable } from "./key-table.js";
import { LastRead } from "./last-read.js";
import type { LiveEvent } from "./live-event.js";
import { RecentIds } from "./recent-ids.js";
import { nothingWritten, Retractable, type Written } from "./retractable.js";
import { Whose } from "./whose.js";

export interface LiveWindowsOptions {
	/** Key of the hashes that stand for units and ids. */
	readonly hashKey: SipKey;
	/** Keys of one kind; beyond it the one heard of longest ago leaves. */
	readonly mostKeys?: number;
	/** Event ids in a generation of `RecentIds`. */
	readonly mostIds?: number;
	/** Of the items that events name; absent: none has one. */
	readonly vectors?: ItemVectors | null;
	/** Events in a generation of `Retractable`. */
	readonly mostRetractable?: number;
}

/** For whom a feature is read. */
export interface LiveAsk {
	readonly unit: string;
	readonly session?: string | undefined;
	readonly experiment: string;
	/** The item a feature by item is read for. */
	readonly item?: string | undefined;
}

const MOST_KEYS = 1_000_000;
const MOST_IDS = 2 ** 20;
const MOST_RETRACTABLE = 2 ** 19;
/** Idle keys let go per event heard: more than come, so that none stays for want of turns. */
const LEAVING_PER_EVENT = 2;

/** All that is kept for features of one kind of key. */
interface Room {
	readonly by: LiveKey;
	readonly shelf: Shelf;
	readonly table: KeyTable;
	readonly empty: Cells;
}

interface Reader {
	readonly room: Room;
	readonly read: Reading;
}

/**
 * Aggregates of recent events for a set of declared features, in bounded memory. What is read is a function of the set of events heard
 * and of `now`, whatever their order:
 *
 * - An event counts as of its own time, or of the stream's where that is earlier: none happens after it was stored.
 * - A window ends with what was heard last. Its older edge is exact for `last` and `timeSince`; for all others it is the edge of a bucket,
 *   a tenth of the window wide, that is nearest (see `Frame`). A read may lie behind the newest event of its key by one bucket.
 * - An event id counts once for each unit and decision, as long as it is remembered (see `RecentIds`): for certain while fewer than `mostIds`
 *   other events came since. The first body heard is the event.
 * - An event that was taken back does not count, whether the retract came before it or after, as long as the event is remembered (see
 *   `Retractable`): for certain while fewer than `mostRetractable` other events that name decisions came since. `last` and `timeSince` know
 *   the four latest; in `distinct` a name stays.
 * - What a unit did until 2 s after its erasure is passed over.
 * - An event older than the longest window when it was stored is passed over. A key that was not heard of for that long leaves; beyond
 *   `mostKeys` of a kind the one heard of longest ago does.
 *
 * Memory: for each kind of key that is declared, `KeyTable.bytesPerKey` for each key, in pages; and `RecentIds`. Hashes
 * stand for keys and ids: nothing here names anybody.
 */
export class LiveWindows {
	readonly #reachMs: number;
	readonly #hash: KeyHash;
	readonly #whose: Whose;
	readonly #seen: RecentIds;
	readonly #erased: ErasedUnits;
	/** Null where no feature asks what was decided. */
	readonly #decided: DecidedArms | null;
	readonly #rooms = new Map<LiveKey, Room>();
	readonly #readers = new Map<string, Reader>();
	/** The same by the features themselves, as they were asked for: their text is made once. */
	readonly #known = new WeakMap<LiveFeature, Reader>();
	/** The types that are followed. */
	readonly #types: readonly string[];
	readonly #numbers = new EventNumbers();
	/** Whether it must be known which item an event named that is taken back. */
	readonly #asksItems: boolean;
	readonly #retractable: Retractable;
	/** The event that is heard. */
	readonly #written: Written = nothingWritten(0);
	readonly #last = new LastRead();
	#clock = 0;

	constructor(
		features: readonly LiveFeature[],
		{
			hashKey,
			mostKeys = MOST_KEYS,
			mostIds = MOST_IDS,
			vectors = null,
			mostRetractable = MOST_RETRACTABLE,
		}: LiveWindowsOptions,
	) {
		this.#hash = new KeyHash(hashKey);
		this.#whose = new Whose(this.#hash);
		this.#seen = new RecentIds(mostIds);
		this.#types = [...new Set(features.map(({ event }) => event))];
		this.#reachMs = reachOf(features);
		this.#erased = new ErasedUnits(this.#reachMs);
		this.#decided = features.some(asksDecisions)
			? new DecidedArms(this.#hash, this.#reachMs)
			: null;
		for (const [by, ofKind] of byKind(features)) {
			const shelf = new Shelf(new KeyHash(hashKey), this.#numbers);
			const readings = ofKind.map((one) => readingOf(one, shelf, vectors));
			const table = new KeyTable(shelf.layout, mostKeys);
			const room = { by, shelf, table, empty: shelf.layout.empty() };
			this.#rooms.set(by, room);
			ofKind.forEach((one, i) => {
				this.#readers.set(textOf(one), { room, read: readings[i] as Reading });
			});
		}
		this.#asksItems =
			this.#rooms.has("item") ||
			features.some(({ aggregate }) => aggregate === "meanVector");
		this.#retractable = new Retractable(mostRetractable, this.#numbers.count, {
			bySession: this.#rooms.has("session"),
			byItem: this.#asksItems,
		});
	}

	/** Keys held now, of all kinds. */
	get size(): number {
		let size = 0;
		for (const { table } of this.#rooms.values()) size += table.size;
		return size;
	}

	/** What it all takes. */
	get bytes(): number {
		let bytes = this.#seen.bytes + this.#retractable.bytes;
		bytes += this.#decided?.bytes ?? 0;
		for (const { table } of this.#rooms.values()) bytes += table.bytes;
		return bytes;
	}

	serves(feature: LiveFeature): boolean {
		return this.#readers.has(textOf(feature));
	}

	/** Whether `decide` is to be told of every decision, before the events that name it. */
	get asksDecisions(): boolean {
		return this.#decided !== null;
	}

	/** What a decision chose, for features by arm and experiment. */
	decide(decision: LiveDecision): void {
		this.#decided?.add(decision);
	}

	/** @param storedAt the stream's own time of the event */
	hear(event: LiveEvent, storedAt: number): void {
		this.#last.forget();
		if (event.type === RETRACT) {
			this.#takeBack(event);
			return;
		}
		const type = this.#types.indexOf(event.type);
		if (type < 0) return;
		const at = Math.min(event.at, storedAt);
		if (at <= storedAt - this.#reachMs || this.#isErased(event.unit, at))
			return;
		const hash = this.#hash;
		hash.of(event.unit, event.decisionId ?? "", event.id);
		const { high, low } = hash;
		if (this.#seen.add(high, low) === null) return;
		this.#clock = Math.max(this.#clock, storedAt);
		const decided = this.#decided?.of(event.decisionId, storedAt) ?? null;
		const isGone =
			event.decisionId !== undefined &&
			this.#retractable.isTakenBack(high, low);
		const numbers = this.#numbers.of(event);
		const written = this.#written;
		written.session = 0;
		written.itemHigh = 0;
		written.itemLow = 0;
		for (const room of this.#rooms.values()) {
			const tallies = room.shelf.tallies(event.type);
			if (tallies === undefined || !this.#whose.find(room.by, event, decided))
				continue;
			if (room.by === "session") written.session = hash.low;
			const cells = room.table.hear(hash.high, hash.low, storedAt);
			for (const tally of tallies)
				if (!isGone || tally.takeBack === undefined)
					tally.write(cells, event, at, numbers);
			room.table.leave(this.#clock - this.#reachMs, LEAVING_PER_EVENT);
		}
		if (event.decisionId === undefined) return;
		written.type = type;
		written.at = at;
		written.decided = decided !== null;
		written.numbers = numbers;
		if (this.#asksItems && event.item !== undefined) {
			hash.of(event.item);
			written.itemHigh = hash.high;
			written.itemLow = hash.low;
		}
		this.#retractable.add(high, low, written);
	}

	#takeBack({ unit, decisionId = "", retracts = "" }: LiveEvent): void {
		const hash = this.#hash;
		hash.of(unit, decisionId, retracts);
		if (this.#seen.find(hash.high, hash.low) === null) {
			this.#retractable.addTakenBack(hash.high, hash.low);
			return;
		}
		const written = this.#retractable.take(hash.high, hash.low);
		if (written === null || this.#isErased(unit, written.at)) return;
		const decided = written.decided
			? (this.#decided?.find(decisionId) ?? null)
			: null;
		const type = this.#types[written.type] as string;
		for (const { by, shelf, table } of this.#rooms.values()) {
			const tallies = shelf.tallies(type);
			if (
				tallies === undefined ||
				!this.#whose.findAgain(by, unit, written, decided)
			)
				continue;
			const cells = table.find(hash.high, hash.low);
			if (cells !== null)
				for (const tally of tallies) tally.takeBack?.(cells, written);
		}
	}

	/** The feature's value at `now`; null where there is none, undefined where the feature was not declared. */
	read(
		feature: LiveFeature,
		ask: LiveAsk,
		now: number,
	): LiveValue | null | undefined {
		const reader = this.#reader(feature);
		if (reader === undefined) return undefined;
		const { room, read } = reader;
		const known = this.#last.cells(ask, room);
		if (known !== null) return read(known, now);
		const decided = { experiment: ask.experiment, arm: feature.arm ?? "" };
		if (!this.#whose.find(room.by, ask, decided)) return null;
		const { high, low } = this.#hash;
		const cells = room.table.find(high, low) ?? room.empty;
		// A key by arm is the feature's as well.
		if (room.by !== "arm") this.#last.keep(ask, room, cells);
		return read(cells, now);
	}

	/** Lets go of all keys that no window reaches any more. */
	leave(now: number): void {
		this.#last.forget();
		this.#erased.leave(now);
		for (const { table } of this.#rooms.values())
			table.leave(now - this.#reachMs, Number.POSITIVE_INFINITY);
	}

	/**
	 * Forgets what was heard of units and their sessions until now, and passes over what they did up to 2 s after their erasure, should it
	 * come yet or again. To be told once more changes nothing. What others' keys counted of them (an item's plays) names nobody and runs out.
	 */
	forget(erased: readonly ErasedUnit[]): void {
		this.#last.forget();
		const news = erased.filter((unit) => this.#erased.add(unit));
		if (news.length === 0) return;
		const ofUnits = this.#rooms.get("unit")?.table;
		for (const { high, low } of news) ofUnits?.forget(high, low);
		this.#rooms
			.get("session")
			?.table.forgetAll(new Set(news.map(({ high }) => high)));
	}

	#isErased(unit: string, at: number): boolean {
		if (!this.#erased.any) return false;
		this.#hash.of(unit);
		return this.#erased.covers(this.#hash.high, this.#hash.low, at);
	}

	#reader(feature: LiveFeature): Reader | undefined {
		const known = this.#known.get(feature);
		if (known !== undefined) return known;
		const reader = this.#readers.get(textOf(feature));
		if (reader !== undefined) this.#known.set(feature, reader);
		return reader;
	}
}
