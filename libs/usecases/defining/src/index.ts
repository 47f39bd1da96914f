export {
	PauseExperiment,
	StartExperiment,
	type StateRequest,
	StopExperiment,
} from "./change-state.js";
export * from "./plan-experiments.js";
export * from "./ports.js";
export { etagOf, type Precondition } from "./precondition.js";
export * from "./put-experiment.js";
export * from "./read-experiments.js";
export type { Transition } from "./transition.js";
export * from "./view-definition.js";
