export { type ClientOptions, SegueClient } from "./client.js";
export * from "./contract.js";
export * from "./contract-experiments.js";
export * from "./errors.js";
export { SegueExperiments } from "./experiments.js";
