import type { Definition } from "#core/experiment";
import { type Bookable, type EpochKey, sideOf } from "./bookable.js";
import type { RunKey, UnitKey } from "./changes.js";

export const epochOf = ({ version, run, epoch }: EpochKey): string =>
	`${version} ${run} ${epoch}`;
export const unitKeyOf = (key: UnitKey): string =>
	`${epochOf(key)} ${key.unit}`;
export const runKeyOf = ({ version, run }: RunKey): string =>
	`${version} ${run}`;

/** Where the decisions of a definition are booked: over pauses, until control's share changes. */
export const bookedIn = ({
	version,
	bookedRun,
	epoch,
}: Pick<Definition, "version" | "bookedRun" | "epoch">): EpochKey => ({
	version,
	run: bookedRun,
	epoch,
});

/**
 * Where a decision's unit is counted; null where it counts in no group. While a guardrail holds the policy nothing of it is counted, and
 * so nothing of control either: the groups would be of different times, and of new units only those of control would come.
 */
export function unitOf({
	row,
	definition: { version, bookedRun: run, epoch, held },
}: Bookable): UnitKey | null {
	return held || sideOf(row) === null
		? null
		: { version, run, epoch, unit: row.unit };
}
