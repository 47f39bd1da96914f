import type { Covered } from "./checks.js";
import type { Estimate } from "./estimate.js";
import type { GroupMean } from "./metric-summary.js";
import type { Report } from "./report.js";

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
	return {
		...report,
		lift: cover(report.lift, lift),
		relativeLift: cover(report.relativeLift, lift),
		cohortLift: cover(report.cohortLift, lift),
		adjustedLift: cover(report.adjustedLift, lift),
		metrics: report.metrics.map((metric) =>
			metrics === null
				? metric
				: {
						...metric,
						policy: hidden(metric.policy),
						control: hidden(metric.control),
						lift: cover(metric.lift, metrics),
						relativeLift: cover(metric.relativeLift, metrics),
						pValue: null,
					},
		),
		metricsByArm: report.metricsByArm.map((metric) =>
			metrics === null
				? metric
				: {
						...metric,
						arms: metric.arms.map((arm) => ({
							...arm,
							...hidden(arm),
							withheld: metrics,
						})),
					},
		),
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

function hidden(group: GroupMean): GroupMean {
	return { ...group, mean: null, standardError: null };
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
