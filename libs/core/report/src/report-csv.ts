import type { ArmSummary } from "./arm-summary.js";
import { answerRows, freshnessRows, healthRows } from "./csv-about.js";
import { csvCell } from "./csv-cell.js";
import { COLUMNS, type Row } from "./csv-row.js";
import type { Estimate } from "./estimate.js";
import type { GroupMean } from "./metric-summary.js";
import type { Report } from "./report.js";

/** One table, RFC 4180: a row per number; empty cells where it is withheld, with the reason in `note`. */
export function reportCsv(report: Report): string {
	const same = {
		experiment: report.experiment,
		version: report.version,
		run: report.run,
		revision: report.freshness.revision,
	};
	const lines = rowsOf(report).map((row) =>
		COLUMNS.map((column) => csvCell({ ...same, ...row }[column] ?? null)).join(
			",",
		),
	);
	return [COLUMNS.join(","), ...lines].map((line) => `${line}\r\n`).join("");
}

function rowsOf(report: Report): Row[] {
	return [
		...answerRows(report),
		...freshnessRows(report),
		...groupRows(report),
		...armRows(report),
		{ row: "lift (policy minus control)", ...estimated(report.lift) },
		{
			row: "relative lift (fraction of control)",
			...estimated(report.relativeLift),
		},
		{
			row: "lift over each unit's first 7 days",
			...estimated(report.cohortLift),
		},
		{
			row: "lift adjusted by the covariate",
			...estimated(report.adjustedLift),
		},
		...metricRows(report),
		...report.metricsByArm.flatMap(({ metric, role, arms }) =>
			arms.map(({ arm, withheld, ...mean }) => ({
				row: "metric by arm (control's decisions)",
				metric,
				role,
				group: "control",
				arm,
				...counted(mean),
				note: withheld,
				footnote: "ratio",
			})),
		),
		...report.segments.flatMap(({ segment, level, lift, policy, control }) => [
			{
				row: "segment lift",
				segment: `${segment}: ${level}`,
				units: policy.units + control.units,
				...estimated(lift),
			},
		]),
		...report.armValues.map(({ arm, value }) => ({
			row: "value of arm",
			arm,
			...estimated(value),
		})),
		...report.guardrails.map(
			({ metric, limit, status, estimate, sentence }) => ({
				row: `guardrail: ${limit}`,
				metric,
				estimate,
				note: `${status}: ${sentence}`,
				footnote: "guardrail",
			}),
		),
		...report.checks.map(({ check, status, pValue, sentence, footnote }) => ({
			row: `check: ${check}`,
			p_value: pValue,
			note: `${status}: ${sentence}`,
			footnote,
		})),
		...healthRows(report),
		...report.timeline.marks.map(({ at, action, actor, sentence }) => ({
			row: `mark: ${action}`,
			note: `${new Date(at).toISOString()} ${actor}${sentence === "" ? "" : `: ${sentence}`}`,
		})),
		...report.footnotes.map(({ id, formula, reference, assumptions }) => ({
			row: "how it is computed",
			note: `${formula}. ${reference} Assumes: ${assumptions}`,
			footnote: id,
		})),
	];
}

function groupRows(report: Report): Row[] {
	const { bestSingleArm, uniformExpected, uniformExpectedWithheld } = report;
	return [
		...(["policy", "control"] as const).map((group) => ({
			row: "group",
			group,
			decisions: report[group].decisions,
			learned_decisions: report[group].n,
			units: report[group].units,
			...estimated({ ...report[group], estimate: report[group].mean }),
		})),
		{
			row: "group",
			group: "outside",
			decisions: report.outside.decisions,
			note: "logged, never learned",
		},
		{
			row: "best single arm (highest mean among control)",
			group: "control",
			arm: bestSingleArm.arm,
			learned_decisions: bestSingleArm.n,
			...estimated({ ...bestSingleArm, estimate: bestSingleArm.mean }),
		},
		{
			row: "uniform expected",
			group: "control",
			estimate: uniformExpected,
			note: uniformExpectedWithheld,
			footnote: "ratio",
		},
	];
}

function armRows(report: Report): Row[] {
	const rows = (group: string, arms: readonly ArmSummary[]) =>
		arms.map(({ arm, decisions, share, n, retired }) => ({
			row: "arm",
			group,
			arm,
			decisions,
			share_of_group_decisions: share,
			learned_decisions: n,
			note: retired ? "no longer in the definition" : null,
			footnote: "ratio",
		}));
	return [
		...rows("policy", report.arms),
		...rows("control", report.controlArms),
		...rows("outside", report.outsideArms),
	];
}

function metricRows({ metrics }: Report): Row[] {
	return metrics.flatMap(
		({ policy, control, lift, relativeLift, pValue, ...of }) => [
			...Object.entries({ policy, control }).map(([group, mean]) => ({
				row: "metric",
				metric: of.metric,
				role: of.role,
				group,
				...counted(mean),
				note: of.cap === null ? null : `each listener counts at most ${of.cap}`,
				footnote: of.footnote,
			})),
			{
				row: "metric lift",
				metric: of.metric,
				role: of.role,
				...estimated(lift),
				p_value: pValue,
			},
			{
				row: "metric relative lift",
				metric: of.metric,
				role: of.role,
				...estimated(relativeLift),
			},
		],
	);
}

function counted({ units, n, sum, mean, standardError }: GroupMean): Row {
	return {
		units,
		// With n it would be the mean.
		total: mean === null ? null : sum,
		learned_decisions: n,
		estimate: mean,
		standard_error: standardError,
	};
}

function estimated(of: Estimate): Row {
	const isShown = of.withheld === null;
	return {
		estimate: of.estimate,
		standard_error: of.standardError,
		low: of.low,
		high: of.high,
		confidence: isShown ? of.confidence : null,
		interval: isShown ? of.kind : null,
		observation: isShown ? of.observation : null,
		note: of.withheld,
		footnote: of.footnote,
	};
}
