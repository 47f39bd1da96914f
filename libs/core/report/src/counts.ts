import type { Group } from "#core/experiment";

/** Decisions of a group that chose an arm. */
export interface ArmCounts {
	readonly group: Group;
	readonly arm: string;
	readonly decisions: number;
	/** Those learned (exposed, E = 1). */
	readonly learned: number;
}
