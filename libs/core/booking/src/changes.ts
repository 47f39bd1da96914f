import type { Metric } from "#core/metrics";
import type { CountedAs, EpochKey } from "./bookable.js";
import type { Closings } from "./closings.js";
import type { RunScores, ScoreBlock } from "./scores.js";
import type { Side } from "./slice.js";
import type { UnitEntry } from "./unit-entry.js";
import type { SumsChange } from "./unit-sums.js";

export interface UnitKey extends EpochKey {
	readonly unit: string;
}

/** A unit's row as it is stored. */
export interface StoredUnit extends UnitKey {
	/** Number of the row; null where there is none yet. */
	readonly id: number | null;
	readonly entry: UnitEntry;
}

export interface RunKey {
	readonly version: number;
	readonly run: number;
}

/** Of a run: what its columns mean, and its scores. */
export interface StoredRun extends RunKey {
	readonly metrics: readonly Metric[];
	readonly scores: RunScores;
}

export interface HourCounts {
	readonly decisions: number;
	readonly shown: number;
	readonly learned: number;
	/** Steps of the grid. */
	readonly reward: number;
}

export interface HourChange extends EpochKey, HourCounts {
	/** Hours since 1970. */
	readonly hour: number;
	readonly group: CountedAs;
	readonly arm: string;
}

export interface DrawsChange extends EpochKey {
	readonly group: Side;
	readonly arm: string;
	readonly eligible: number;
	readonly drawn: number;
	/** Steps of 2⁻⁴⁰. */
	readonly expected: number;
	readonly variance: number;
}

/** Decisions of policy and control that were served degraded. */
export interface DegradedChange extends RunKey {
	/** What was degraded, as the decision named it; ANY_PART: anything. */
	readonly part: string;
	readonly decisions: number;
}

/** What a step of booking changes, stored whole or not at all. */
export interface BookingChanges {
	/** An entry without groups is to be deleted. */
	readonly units: readonly StoredUnit[];
	readonly sums: readonly (EpochKey & SumsChange)[];
	readonly hours: readonly HourChange[];
	readonly draws: readonly DrawsChange[];
	readonly degraded: readonly DegradedChange[];
	/** Those that changed, as they are now. */
	readonly runs: readonly StoredRun[];
	readonly blocks: readonly (RunKey & ScoreBlock)[];
	/** Ids that are left out of the scores from now on. */
	readonly unbooked: readonly string[];
	/** Decisions that are counted more. */
	readonly decisions: number;
}

/** How far an experiment's log is booked: its rollups are those of all decisions up to `cursor` as they stood at `revision`. */
export interface BookedUpTo {
	readonly cursor: string;
	readonly revision: number;
	readonly closings: Closings;
}
