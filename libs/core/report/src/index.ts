export type { MetricRole, PlanSummary } from "./analysis-plan.js";
export type { Answer, Verdict } from "./answer.js";
export type { ArmSummary, SingleArm } from "./arm-summary.js";
export type { ArmValueSummary } from "./arm-values.js";
export type { CheckSummary } from "./checks.js";
export type { ArmCounts } from "./counts.js";
export { csvCell } from "./csv-cell.js";
export type { Estimate } from "./estimate.js";
export type { Footnote, FootnoteId } from "./footnotes.js";
export type { GroupSummary } from "./group-summary.js";
export type { Health, HealthSentence } from "./health.js";
export { makeReport } from "./make-report.js";
export type { GroupMean, Look, MetricSummary } from "./metric-summary.js";
export type { ArmMetric, MetricByArm } from "./metrics-by-arm.js";
export { overRuns, stratumOf } from "./over-runs.js";
export type { Freshness, Report, ReportInput } from "./report.js";
export { reportCsv } from "./report-csv.js";
export type { SegmentSummary } from "./segments.js";
export type {
	GuardrailSummary,
	Mark,
	Timeline,
	TrafficSpan,
} from "./timeline.js";
