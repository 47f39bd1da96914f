export { isDeclared, valueReader } from "./bins.js";
export {
	addCounts,
	type ContextCounts,
	ContextTally,
	type FeatureCounts,
} from "./context-counts.js";
export {
	ALARM_KINDS,
	type AlarmKind,
	DEFAULT_ALARMS,
	type FeatureHealth,
	judgeContext,
} from "./feature-health.js";
export { LAUNCH_DECISIONS, type Launch, makeLaunch } from "./launch.js";
export {
	MISSING_REASONS,
	type MissingReason,
	type ObservedDecision,
} from "./observed-decision.js";
export {
	LARGE_DRIFT,
	LEAST_SHARE,
	MODERATE_DRIFT,
	stabilityIndex,
} from "./stability-index.js";
