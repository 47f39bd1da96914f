export * from "./baseline.js";
export * from "./decay.js";
export * from "./draw.js";
export * from "./exploration.js";
export { hybridModels, type SharedPart, sharedPart } from "./hybrid-linucb.js";
export * from "./linucb.js";
export * from "./policy.js";
export * from "./posterior.js";
export * from "./seeded-random.js";
