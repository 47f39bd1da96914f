export * from "./consent.js";
export * from "./encoder.js";
export { type ContextValues, coordinateNames } from "./feature.js";
export * from "./parse-context.js";
