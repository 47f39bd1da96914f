export { analysisInWords } from "./analysis-words.js";
export * from "./carry-out-schedules.js";
export {
	PauseExperiment,
	ResumeExperiment,
	StartExperiment,
	type StateRequest,
	StopExperiment,
} from "./change-state.js";
export * from "./plan-experiments.js";
export * from "./ports.js";
export { etagOf, type Precondition, sentences } from "./precondition.js";
export {
	type PutAnswer,
	PutExperiment,
	type PutRequest,
} from "./put-experiment.js";
export * from "./read-audit.js";
export { GetExperiment, ListExperiments } from "./read-experiments.js";
export * from "./roll-back-experiment.js";
export type { Transition } from "./transition.js";
export * from "./trip-guardrail.js";
export * from "./view-definition.js";
