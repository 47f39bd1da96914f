/** A group whose units are compared with the other's. */
export type Side = "policy" | "control";

/**
 * A part of what units did, named as it is stored.
 * - `all`: everything
 * - `week1`: the first seven days of each unit, once they are over
 * - `arm:KEY`: decisions that chose the arm
 * - `segment:FEATURE=LEVEL`: decisions whose context said so
 * - `first`: units, by the group they were first in; `both`: units that were in both groups, under `policy`
 */
export type Slice = string;

export const ALL: Slice = "all";
export const WEEK1: Slice = "week1";
export const FIRST: Slice = "first";
export const BOTH: Slice = "both";
const ARM = "arm:";
export const armSlice = (arm: string): Slice => `${ARM}${arm}`;
export const isArm = (slice: Slice): boolean => slice.startsWith(ARM);
export const segmentSlice = (feature: string, level: string): Slice =>
	`segment:${feature}=${level}`;
