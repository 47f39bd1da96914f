export type { ArmSummary, SingleArm } from "./arm-summary.js";
export * from "./counts.js";
export { CONFIDENCE, type Estimate } from "./interval.js";
export { type GroupSummary, makeReport, type Report } from "./report.js";
export { csvCell, reportCsv } from "./report-csv.js";
