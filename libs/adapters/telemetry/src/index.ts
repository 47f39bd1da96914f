export type { ArmMovement, LearnedBatch } from "./learned-batch.js";
export { createLog, type Logger, type LogOptions } from "./log.js";
export { Metrics } from "./metrics.js";
export {
	currentTraceId,
	startTracing,
	type Tracing,
	withSpan,
} from "./tracing.js";
