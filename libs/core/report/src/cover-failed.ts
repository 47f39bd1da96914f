import type { Covered } from "./checks.js";
import type { Estimate } from "./estimate.js";
import type { FootnoteId } from "./footnotes.js";
import type { GroupMean, MetricSummary } from "./metric-summary.js";
import type { Report } from "./report.js";

/** Of decisions that an event proves to have been shown. */
const OF_WHAT_WAS_SHOWN: readonly FootnoteId[] = [
	"per-impression",
	"per-event",
];

/** The report without the numbers that a failed check makes wrong: each says which check it was. */
export function coverFailed(report: Report): Report {
	const why = (what: Covered): string | null => {
		const failed = report.checks.filter(
			({ status, covers }) => status === "failed" && covers.includes(what),
		);
		return failed.length === 0
			? null
			: `covered: ${failed.map(({ check }) => check).join(", ")} failed`;
	};
	const lift = why("lift");
	const values = why("values of arms");
	const metrics = why("metrics");
	const segments = why("segments");
	const shown = metrics ?? why("metrics of what was shown");
	const ofShown = new Set(
		report.metrics
			.filter(({ footnote }) => OF_WHAT_WAS_SHOWN.includes(footnote))
			.map(({ metric }) => metric),
	);
	const whyNot = ({ metric }: { readonly metric: string }) =>
		ofShown.has(metric) ? shown : metrics;
	return {
		...report,
		lift: cover(report.lift, lift),
		relativeLift: cover(report.relativeLift, lift),
		cohortLift: cover(report.cohortLift, lift),
		adjustedLift: cover(report.adjustedLift, lift),
		metrics: report.metrics.map((metric) =>
			coverMetric(metric, whyNot(metric)),
		),
		metricsByArm: report.metricsByArm.map((metric) => {
			const withheld = whyNot(metric);
			return withheld === null
				? metric
				: {
						...metric,
						arms: metric.arms.map((arm) => ({
							...arm,
							...hidden(arm),
							withheld,
						})),
					};
		}),
		segments: report.segments.map((segment) => ({
			...segment,
			...(segments === null
				? {}
				: {
						policy: hidden(segment.policy),
						control: hidden(segment.control),
					}),
			lift: cover(segment.lift, segments),
		})),
		armValues: report.armValues.map((arm) => ({
			...arm,
			value: cover(arm.value, values),
		})),
		...(metrics === null
			? {}
			: {
					policy: withoutMean(report.policy, metrics),
					control: withoutMean(report.control, metrics),
					bestSingleArm: withoutMean(report.bestSingleArm, metrics),
					uniformExpected: null,
					uniformExpectedWithheld: metrics,
				}),
		timeline:
			lift === null ? report.timeline : { ...report.timeline, looks: [] },
	};
}

function coverMetric(metric: MetricSummary, why: string | null): MetricSummary {
	if (why === null) return metric;
	return {
		...metric,
		policy: hidden(metric.policy),
		control: hidden(metric.control),
		lift: cover(metric.lift, why),
		relativeLift: cover(metric.relativeLift, why),
		comparedWith: null,
		pValue: null,
	};
}

function hidden(group: GroupMean): GroupMean {
	return { ...group, sum: null, mean: null, standardError: null };
}

function withoutMean<T extends Omit<Estimate, "estimate">>(
	group: T & { readonly mean: number | null },
	why: string,
): T & { readonly mean: null } {
	return {
		...group,
		mean: null,
		standardError: null,
		low: null,
		high: null,
		withheld: why,
	};
}

function cover(estimate: Estimate, why: string | null): Estimate {
	if (why === null) return estimate;
	return {
		...estimate,
		estimate: null,
		standardError: null,
		low: null,
		high: null,
		withheld: why,
	};
}
