import type { ArmSummary } from "./arm-summary.js";
import type { Estimate } from "./estimate.js";
import type { GroupMean } from "./metric-summary.js";
import type { Report } from "./report.js";

type Cell = string | number | null;

const COLUMNS = [
	"experiment",
	"version",
	"run",
	"revision",
	"row",
	"metric",
	"role",
	"group",
	"arm",
	"segment",
	"decisions",
	"share_of_group_decisions",
	"learned_decisions",
	"units",
	"estimate",
	"standard_error",
	"low",
	"high",
	"confidence",
	"p_value",
	"interval",
	"observation",
	"note",
] as const;

type Row = Partial<Record<(typeof COLUMNS)[number], Cell>>;

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
		{ row: `answer: ${report.answer.verdict}`, note: report.answer.sentence },
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
			}),
		),
		...report.checks.map(({ check, status, pValue, sentence }) => ({
			row: `check: ${check}`,
			p_value: pValue,
			note: `${status}: ${sentence}`,
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
		},
	];
}

function armRows(report: Report): Row[] {
	const rows = (group: string, arms: readonly ArmSummary[]) =>
		arms.map(({ arm, decisions, share, n, mean, retired }) => ({
			row: "arm",
			group,
			arm,
			decisions,
			share_of_group_decisions: share,
			learned_decisions: n,
			estimate: mean,
			note: `${retired ? "no longer in the definition; " : ""}a plain mean, biased where the policy learns: see the value of the arm`,
		}));
	return [
		...rows("policy", report.arms),
		...rows("control", report.controlArms),
		...rows("outside", report.outsideArms),
	];
}

function metricRows({ metrics }: Report): Row[] {
	return metrics.flatMap(
		({ metric, role, policy, control, lift, relativeLift, pValue }) => [
			{ row: "metric", metric, role, group: "policy", ...counted(policy) },
			{ row: "metric", metric, role, group: "control", ...counted(control) },
			{
				row: "metric lift",
				metric,
				role,
				...estimated(lift),
				p_value: pValue,
			},
			{
				row: "metric relative lift",
				metric,
				role,
				...estimated(relativeLift),
			},
		],
	);
}

function counted({ units, n, mean, standardError }: GroupMean): Row {
	return {
		units,
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
	};
}

/**
 * A cell as spreadsheets read it safely: text that begins like a formula gets an apostrophe before it (OWASP, "CSV Injection"),
 * numbers stay numbers, and whatever needs quotes has them.
 */
export function csvCell(value: Cell): string {
	if (value === null) return "";
	if (typeof value === "number") return String(value);
	const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
	return /[",\r\n\t']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
