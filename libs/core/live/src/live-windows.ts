import type { LiveFeature, LiveKey } from "#core/experiment";
import type { SipKey } from "#core/policy";
import { type Reading, readingOf, Shelf } from "./aggregate.js";
import type { Cells } from "./cells.js";
import {
	type DecidedArm,
	DecidedArms,
	type LiveDecision,
} from "./decided-arms.js";
import { type ErasedUnit, ErasedUnits } from "./erased-units.js";
import { KeyHash } from "./key-hash.js";
import { KeyTable } from "./key-table.js";
import type { LiveEvent } from "./live-event.js";
import { RecentIds } from "./recent-ids.js";

export interface LiveWindowsOptions {
	/** Key of the hashes that stand for units and ids. */
	readonly hashKey: SipKey;
	/** Keys of one kind; beyond it the one heard of longest ago leaves. */
	readonly mostKeys?: number;
	/** Event ids in a generation of `RecentIds`. */
	readonly mostIds?: number;
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
	readonly #seen: RecentIds;
	readonly #erased: ErasedUnits;
	/** Null where no feature asks what was decided. */
	readonly #decided: DecidedArms | null;
	readonly #rooms = new Map<LiveKey, Room>();
	readonly #readers = new Map<string, Reader>();
	/** The same by the features themselves, as they were asked for: their text is made once. */
	readonly #known = new WeakMap<LiveFeature, Reader>();
	readonly #events: ReadonlySet<string>;
	#clock = 0;

	constructor(
		features: readonly LiveFeature[],
		{ hashKey, mostKeys = MOST_KEYS, mostIds = MOST_IDS }: LiveWindowsOptions,
	) {
		this.#hash = new KeyHash(hashKey);
		this.#seen = new RecentIds(mostIds, false);
		this.#events = new Set(features.map(({ event }) => event));
		this.#reachMs = reachOf(features);
		this.#erased = new ErasedUnits(this.#reachMs);
		this.#decided = features.some(asksDecisions)
			? new DecidedArms(this.#hash, this.#reachMs)
			: null;
		for (const [by, ofKind] of byKind(features)) {
			const shelf = new Shelf(new KeyHash(hashKey));
			const readings = ofKind.map((one) => readingOf(one, shelf));
			const table = new KeyTable(shelf.layout, mostKeys);
			const room = { by, shelf, table, empty: shelf.layout.empty() };
			this.#rooms.set(by, room);
			ofKind.forEach((one, i) => {
				this.#readers.set(textOf(one), { room, read: readings[i] as Reading });
			});
		}
	}

	/** Keys held now, of all kinds. */
	get size(): number {
		let size = 0;
		for (const { table } of this.#rooms.values()) size += table.size;
		return size;
	}

	/** What it all takes. */
	get bytes(): number {
		let bytes = this.#seen.bytes + (this.#decided?.bytes ?? 0);
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
		if (!this.#events.has(event.type)) return;
		const at = Math.min(event.at, storedAt);
		if (at <= storedAt - this.#reachMs || this.#isErased(event, at)) return;
		const hash = this.#hash;
		hash.of(event.unit, event.decisionId ?? "", event.id);
		if (!this.#seen.add(hash.high, hash.low)) return;
		this.#clock = Math.max(this.#clock, storedAt);
		const decided = this.#decided?.of(event.decisionId, storedAt) ?? null;
		for (const room of this.#rooms.values()) {
			const tallies = room.shelf.tallies(event.type);
			if (tallies === undefined || !this.#find(room.by, event, decided))
				continue;
			const cells = room.table.hear(hash.high, hash.low, storedAt);
			for (const tally of tallies) tally.write(cells, event, at);
			room.table.leave(this.#clock - this.#reachMs, LEAVING_PER_EVENT);
		}
	}

	/** The feature's value at `now`; null where there is none, undefined where the feature was not declared. */
	read(
		feature: LiveFeature,
		ask: LiveAsk,
		now: number,
	): number | null | undefined {
		const reader = this.#reader(feature);
		if (reader === undefined) return undefined;
		const { room, read } = reader;
		const { experiment } = ask;
		const decided = { experiment, arm: feature.arm ?? "" };
		if (!this.#find(room.by, ask, decided)) return null;
		const { high, low } = this.#hash;
		return read(room.table.find(high, low) ?? room.empty, now);
	}

	/** Lets go of all keys that no window reaches any more. */
	leave(now: number): void {
		this.#erased.leave(now);
		for (const { table } of this.#rooms.values())
			table.leave(now - this.#reachMs, Number.POSITIVE_INFINITY);
	}

	/**
	 * Forgets what was heard of units and their sessions until now, and passes over what they did up to 2 s after their erasure, should it
	 * come yet or again. To be told once more changes nothing. What others' keys counted of them (an item's plays) names nobody and runs out.
	 */
	forget(erased: readonly ErasedUnit[]): void {
		const news = erased.filter((unit) => this.#erased.add(unit));
		if (news.length === 0) return;
		const ofUnits = this.#rooms.get("unit")?.table;
		for (const { high, low } of news) ofUnits?.forget(high, low);
		this.#rooms
			.get("session")
			?.table.forgetAll(new Set(news.map(({ high }) => high)));
	}

	#isErased({ unit }: LiveEvent, at: number): boolean {
		if (!this.#erased.any) return false;
		this.#hash.of(unit);
		return this.#erased.covers(this.#hash.high, this.#hash.low, at);
	}

	/** Puts the hash of the key into `#hash`; false where there is no such key. */
	#find(
		by: LiveKey,
		of: {
			readonly unit: string;
			readonly session?: string;
			readonly item?: string;
		},
		decided: DecidedArm | null,
	): boolean {
		const hash = this.#hash;
		switch (by) {
			case "unit":
				hash.of(of.unit);
				return true;
			case "session": {
				if (of.session === undefined) return false;
				// The high half is the unit's, so that its sessions are found when it is forgotten.
				hash.of(of.unit);
				const { high } = hash;
				hash.of(of.unit, of.session);
				hash.high = high;
				return true;
			}
			case "item":
				if (of.item === undefined) return false;
				hash.of(of.item);
				return true;
			case "arm":
				if (decided === null) return false;
				hash.of(decided.experiment, decided.arm);
				return true;
			case "experiment":
				if (decided === null) return false;
				hash.of(decided.experiment);
				return true;
		}
	}

	#reader(feature: LiveFeature): Reader | undefined {
		const known = this.#known.get(feature);
		if (known !== undefined) return known;
		const reader = this.#readers.get(textOf(feature));
		if (reader !== undefined) this.#known.set(feature, reader);
		return reader;
	}
}

/** How far back events are needed: the longest window and its bucket. */
function reachOf(features: readonly LiveFeature[]): number {
	const longest = Math.max(0, ...features.map(({ windowMs }) => windowMs));
	return longest + Math.ceil(longest / 10);
}

function asksDecisions({ by }: LiveFeature): boolean {
	return by === "arm" || by === "experiment";
}

/** How far back a stream must be read for all that is in some window: events, and the decisions that they name. */
export function historyMs(features: readonly LiveFeature[]): number {
	return reachOf(features) * (features.some(asksDecisions) ? 2 : 1);
}

/**
 * How far back everything must have been heard for a feature's value to be whole: to its window's older edge, a twentieth beyond the
 * window at most, and the decisions that the events there may name.
 */
export function wholeAfterMs(
	feature: LiveFeature,
	features: readonly LiveFeature[],
): number {
	const edge = Math.ceil(1.05 * feature.windowMs);
	return asksDecisions(feature) ? edge + reachOf(features) : edge;
}

/** What is kept for a feature; whose key is read is no part of it. */
function textOf({ by, event, aggregate, of, windowMs }: LiveFeature): string {
	return `${aggregate} of ${of ?? "events"} ${event} by ${by} over ${windowMs} ms`;
}

function byKind(features: readonly LiveFeature[]): Map<LiveKey, LiveFeature[]> {
	const kinds = new Map<LiveKey, LiveFeature[]>();
	const known = new Set<string>();
	for (const feature of features) {
		if (known.has(textOf(feature))) continue;
		known.add(textOf(feature));
		kinds.set(feature.by, [...(kinds.get(feature.by) ?? []), feature]);
	}
	return kinds;
}
