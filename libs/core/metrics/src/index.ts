export * from "./contributions.js";
export * from "./metric.js";
