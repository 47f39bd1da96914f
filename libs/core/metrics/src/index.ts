export { type AnalysisPlan, analysisPlan } from "./analysis-plan.js";
export * from "./contributions.js";
export * from "./metric.js";
export { rangeOf, reachableRange } from "./metric-range.js";
export { LONGEST_HOURS } from "./visit-hours.js";
