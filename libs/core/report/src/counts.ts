import type { Group } from "#core/experiment";

/** Exact counts the report is made of. Rewards are on the 2⁻¹² grid, so sums do not depend on the order of rows. */
export interface ReportCounts {
	readonly revision: number;
	/** Milliseconds since the epoch of the first and last decision counted; null when there is none. */
	readonly firstDecidedAt: number | null;
	readonly lastDecidedAt: number | null;
	readonly arms: readonly ArmCounts[];
	readonly units: readonly UnitMoments[];
	/** The same per arm; absent: intervals of single arms take the decision as the observation and say so. */
	readonly armUnits?: readonly ArmUnitMoments[];
	/** Not redriven yet, of the whole installation: what cannot be understood names no experiment for sure. */
	readonly deadLetters: number;
	/** Events whose decision has not been stored yet, of the whole installation. */
	readonly waitingEvents: number;
}

export interface ArmCounts {
	readonly group: Group;
	readonly arm: string;
	/** All decisions that chose the arm. */
	readonly decisions: number;
	/** Those learned (exposed, E = 1). */
	readonly learned: number;
	/** Σ R over the learned. */
	readonly rewardSum: number;
	/** Σ R² over the learned. */
	readonly rewardSquaredSum: number;
}

/** Moments over the units of one group, for the delta method: n = learned decisions of a unit, C = its reward. */
export interface UnitMoments {
	readonly group: Group;
	readonly units: number;
	readonly n: number;
	readonly c: number;
	readonly nn: number;
	readonly nc: number;
	readonly cc: number;
}

/** Of the units that were given one arm: n and C count that arm's decisions only. */
export interface ArmUnitMoments extends UnitMoments {
	readonly arm: string;
}
