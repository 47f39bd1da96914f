import type { Group } from "#core/experiment";

/** Decisions of a group that chose an arm. Rewards are on the 2⁻¹² grid, so sums do not depend on the order of rows. */
export interface ArmCounts {
	readonly group: Group;
	readonly arm: string;
	readonly decisions: number;
	/** Those learned (exposed, E = 1). */
	readonly learned: number;
	/** Σ R over the learned. */
	readonly rewardSum: number;
}
