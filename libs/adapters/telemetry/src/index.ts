export { createLog, type Logger, type LogOptions } from "./log.js";
export { type ArmMovement, type LearnedBatch, Metrics } from "./metrics.js";
export {
	currentTraceId,
	startTracing,
	type Tracing,
	withSpan,
} from "./tracing.js";
