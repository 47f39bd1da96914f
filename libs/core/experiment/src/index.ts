export * from "./assignment.js";
export * from "./bucket.js";
export { canonicalJson } from "./canonical-json.js";
export { MOST_COORDINATES } from "./check-context.js";
export { MOST_SHARED_COORDINATES } from "./check-policy.js";
export { TIME_ZONE } from "./check-request.js";
export { CLIENT_HINTS, type ClientHint, HINT_VALUES } from "./client-hint.js";
export * from "./closing.js";
export { type ExperimentDocument, experimentSchema } from "./document.js";
export { DURATION, parseDuration, renderDuration } from "./duration.js";
export * from "./eligibility.js";
export * from "./experiment.js";
export * from "./experiment-diff.js";
export * from "./frozen-plan.js";
export {
	deepFreeze,
	findJsonProblem,
	isPlainObject,
	joinPath,
	MOST_DEPTH,
} from "./json-guard.js";
export * from "./judge.js";
export {
	type FeatureOfEvents,
	isLive,
	type LiveAggregate,
	type LiveFeature,
	type LiveField,
	type LiveKey,
	type LiveName,
	type LiveNumber,
	liveFeatures,
	propertyOf,
} from "./live-feature.js";
export * from "./metric-names.js";
export { nearestKey, unknownKeyMessage } from "./nearest-key.js";
export * from "./parse-experiment.js";
export * from "./parse-yaml.js";
export * from "./patterns.js";
export * from "./payload-variants.js";
export { renderExperiment, renderInstant } from "./render-experiment.js";
export * from "./reward.js";
export { ruleProblems } from "./rule.js";
export { schemaProblems } from "./schema-problems.js";
export { stickySpanMs } from "./sticky.js";
export * from "./verdict.js";
export * from "./visit.js";
