import { type Bookable, type EpochKey, sideOf } from "./bookable.js";
import type { RunKey, UnitKey } from "./changes.js";

export const epochOf = ({ version, run, epoch }: EpochKey): string =>
	`${version} ${run} ${epoch}`;
export const unitKeyOf = (key: UnitKey): string =>
	`${epochOf(key)} ${key.unit}`;
export const runKeyOf = ({ version, run }: RunKey): string =>
	`${version} ${run}`;

/**
 * Where a decision's unit is counted; null where it counts in no group. While a guardrail holds the policy nothing of it is counted, and
 * so nothing of control either: the groups would be of different times, and of new units only those of control would come.
 */
export function unitOf({
	row,
	definition: { version, run, epoch, held },
}: Bookable): UnitKey | null {
	return held || sideOf(row) === null
		? null
		: { version, run, epoch, unit: row.unit };
}
