import type { Metric } from "#core/metrics";
import type { ScoreSums } from "#core/statistics";
import type { CountedAs } from "./bookable.js";
import type { Side, Slice } from "./slice.js";

/**
 * What a report is made of: the rollups of one run of an experiment, read without the log. Sums are exact; as float64 they are the nearest
 * to it. C and x are in the metric's and the covariate's own unit.
 */
export interface BookedCounts {
	readonly experiment: string;
	readonly version: number;
	readonly run: number;
	readonly freshness: BookingFreshness;
	/** In the order of `moments` below; built-in ones first. */
	readonly metrics: readonly Metric[];
	readonly epochs: readonly BookedEpoch[];
	/** Decisions by time, group and arm, ascending: by the hour, or several hours together where there are many. */
	readonly hours: readonly BookedHour[];
	/** By epoch, group and arm. */
	readonly draws: readonly BookedDraws[];
	/** Decisions of policy and control that were served degraded. */
	readonly degraded: BookedDegraded;
	/** By arm, of rows of both groups; an arm without a booked row is missing. */
	readonly scores: ReadonlyMap<string, ScoreSums>;
	/** What the sums over all units were at earlier times, ascending: an hour of decisions apart at least. */
	readonly looks: readonly BookedLook[];
}

/** How fresh rollups are, of the whole experiment. */
export interface BookingFreshness {
	/** All decisions that were made before are booked, milliseconds since the epoch; null before the first. */
	readonly bookedUpTo: number | null;
	/** Decisions up to this id are booked; null before the first. */
	readonly cursor: string | null;
	/** Whether the log may have decisions that were made later. */
	readonly isPending: boolean;
	/** All that the log had at this revision is counted, and how far the log goes. */
	readonly revision: number;
	readonly newestRevision: number;
	/** Decisions that are counted, and that the log has but booking has not come to: mostly since their windows are open. */
	readonly decisions: number;
	readonly waiting: number;
	/** Decisions that are in no score, since they came or changed after those around them were booked. */
	readonly unbooked: number;
	/** When the rollups changed last, milliseconds since the epoch; null before the first time. */
	readonly bookedAt: number | null;
}

export interface BookedEpoch {
	readonly epoch: number;
	readonly slices: readonly BookedSlice[];
	/** Units by the group they were first in. */
	readonly firstIn: { readonly [side in Side]: number };
	/** Units that were in both groups. */
	readonly inBoth: number;
}

export interface BookedSlice {
	readonly slice: Slice;
	readonly group: Side;
	/** Units with a decision in it. */
	readonly units: number;
	/** By metric, as in `metrics`. */
	readonly moments: readonly BookedMoments[];
	/** Of `all` and `week1` where the experiment has a covariate; else null. */
	readonly covariate: CovariateMoments | null;
}

/** Over the units with an n of the metric: U, Σn, ΣC, Σn², ΣnC, ΣC². */
export interface BookedMoments {
	readonly units: number;
	readonly n: number;
	readonly c: number;
	readonly nn: number;
	readonly nc: number;
	readonly cc: number;
}

/** Over the units that had a covariate x at their first decision. */
export interface CovariateMoments {
	readonly units: number;
	readonly x: number;
	readonly xx: number;
	/** By metric: Σn, ΣC, Σxn, ΣxC over the same units. */
	readonly metrics: readonly {
		readonly n: number;
		readonly c: number;
		readonly xn: number;
		readonly xc: number;
	}[];
}

export interface BookedHour {
	readonly epoch: number;
	/** Begin of the hour of decision ids, or of the first of several, milliseconds since the epoch. */
	readonly hour: number;
	readonly group: CountedAs;
	readonly arm: string;
	readonly decisions: number;
	readonly shown: number;
	readonly learned: number;
	/** Σ R over the learned. */
	readonly reward: number;
}

export interface BookedDraws {
	readonly epoch: number;
	readonly group: Side;
	readonly arm: string;
	/** Decisions in which the arm could be drawn, and those that drew it. */
	readonly eligible: number;
	readonly drawn: number;
	/** Σ p(a) and Σ p(a)(1 − p(a)) over the eligible. */
	readonly expected: number;
	readonly variance: number;
}

export interface BookedDegraded {
	readonly decisions: number;
	/** By what was degraded; a decision may name several. */
	readonly parts: { readonly [part: string]: number };
}

/** The sums over all units as they were when all decisions before `at` were booked. */
export interface BookedLook {
	/** Milliseconds since the epoch. */
	readonly at: number;
	readonly epoch: number;
	readonly group: Side;
	readonly units: number;
	readonly firstIn: number;
	readonly moments: readonly BookedMoments[];
}
