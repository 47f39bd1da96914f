export { type AnalysisPlan, analysisPlan } from "./analysis-plan.js";
export * from "./contributions.js";
export * from "./metric.js";
