export * from "./bookable.js";
export * from "./booked-counts.js";
export * from "./changes.js";
export * from "./close-cohorts.js";
export * from "./closings.js";
export { PROPENSITY_STEPS } from "./draws.js";
export { firstHourOf } from "./held-units.js";
export * from "./keys.js";
export { pack, unpack } from "./packed.js";
export {
	emptyRunScores,
	type RunScores,
	type ScoreBlock,
	type SideScores,
} from "./scores.js";
export * from "./slice.js";
export { COVARIATE_EACH, COVARIATE_HEAD, MOMENTS } from "./slice-sums.js";
export * from "./step.js";
export {
	type GroupEntry,
	hourOf,
	type UnitEntry,
	WEEK_HOURS,
} from "./unit-entry.js";
export { COHORT_HOURS, type SumsChange } from "./unit-sums.js";
