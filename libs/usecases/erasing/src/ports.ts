import type { ErasedUnit } from "#core/live";
import type { RemovedRows } from "./removed-rows.js";
import type { Left } from "./take-out.js";

export interface ErasedFromDatabase {
	/** The instant up to which everything of the units is refused from now on, milliseconds. */
	readonly erasedAt: number;
	readonly removed: RemovedRows;
	/** The revision in which each touched experiment is free of the units. */
	readonly revisions: ReadonlyMap<string, number>;
	/** Decisions before this instant (milliseconds) were folded away earlier and stay in the sums, tied to nobody; null where none ever were. */
	readonly foldedBefore: number | null;
}

/** The database's side of an erasure. */
export interface Erasure {
	/**
	 * Writes the units' tombstones, deletes their rows and takes their share out of every sum; done and committed when it resolves.
	 * Doing it again does no harm. Throws `ErasureBusy` where learners did not let it in for `patienceMs`.
	 */
	erase(
		units: readonly string[],
		patienceMs: number,
	): Promise<ErasedFromDatabase>;
	/** Deletes kept answers of decisions made up to `erasedAt`, written by deciders that were deciding meanwhile. Returns how many. */
	sweep(units: readonly string[], erasedAt: number): Promise<number>;
}

/** Which of the erased units a tombstone covers. */
export interface Tombstones {
	/** The instant up to which the unit was erased, milliseconds; null where it never was. */
	erasedAt(unit: string): Promise<number | null>;
}

/** Units that were erased after an instant, as their tombstones tell: by a keyed hash. */
export interface ErasedSince {
	/** Of the newest tombstone, milliseconds; null where there is none. */
	readonly latest: number | null;
	/** As live windows know them. */
	readonly units: readonly ErasedUnit[];
	/** 48 bits of a unit's keyed hash: what has none of `marks` was not erased. */
	mark(unit: string): number;
	readonly marks: ReadonlySet<number>;
	/** The instant up to which the unit was erased, milliseconds; null where it was not. */
	erasedAt(unit: string): number | null;
}

export interface ErasedUnits {
	erasedSince(instant: number): Promise<ErasedSince>;
}

/** Learners did not let the erasure in. Nothing was erased, or a part that doing it again completes. */
export class ErasureBusy extends Error {
	constructor(detail: string, options?: ErrorOptions) {
		super(detail, options);
		this.name = "ErasureBusy";
	}
}

/** What was removed from a store of messages. */
export interface RemovedMessages {
	/** Messages that went as a whole. */
	readonly deleted: number;
	/** Messages that lost some of their items. */
	readonly shortened: number;
	/** Messages that still hold the units: not yet learned, or with others' events that deciders still need. */
	readonly left: number;
	/** False where it was not looked through to the end. */
	readonly complete: boolean;
}

/** The stream, as far as it lets go of messages. */
export interface StreamErasure {
	erase(
		takeOut: (body: Uint8Array) => Left,
		withinMs: number,
	): Promise<RemovedMessages>;
	announce(experiment: string, revision: number): void;
}

/** The decider's own spool. Returns how many entries were changed. */
export interface SpoolErasure {
	rewrite(change: (body: Uint8Array) => Uint8Array): Promise<number>;
}

/** What this process remembers of a unit. */
export interface UnitMemory {
	forget(unit: string, erasedAt: number): void | Promise<void>;
}
