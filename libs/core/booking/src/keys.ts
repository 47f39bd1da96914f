import { type Bookable, type EpochKey, sideOf } from "./bookable.js";
import type { RunKey, UnitKey } from "./changes.js";

export const epochOf = ({ version, run, epoch }: EpochKey): string =>
	`${version} ${run} ${epoch}`;
export const unitKeyOf = (key: UnitKey): string =>
	`${epochOf(key)} ${key.unit}`;
export const runKeyOf = ({ version, run }: RunKey): string =>
	`${version} ${run}`;

/** Where a decision's unit is counted; null where it counts in no group. */
export function unitOf({
	row,
	definition: { version, run, epoch },
}: Bookable): UnitKey | null {
	return sideOf(row) === null ? null : { version, run, epoch, unit: row.unit };
}
