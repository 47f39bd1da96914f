export * from "./bookable.js";
export * from "./booked-counts.js";
export * from "./changes.js";
export * from "./close-cohorts.js";
export * from "./closings.js";
export { PROPENSITY_STEPS } from "./draws.js";
export { firstHourOf } from "./held-units.js";
export * from "./keys.js";
export {
	emptyRunScores,
	type RunScores,
	type ScoreBlock,
	type SideScores,
} from "./scores.js";
export * from "./slice.js";
export * from "./step.js";
export {
	type GroupEntry,
	hourOf,
	type UnitEntry,
	WEEK_HOURS,
} from "./unit-entry.js";
export {
	COHORT_HOURS,
	COVARIATE_EACH,
	COVARIATE_HEAD,
	MOMENTS,
	type SumsChange,
} from "./unit-sums.js";
