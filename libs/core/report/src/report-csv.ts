import type { Estimate } from "./interval.js";
import type { Report } from "./report.js";

type Cell = string | number | null;

const COLUMNS = [
	"experiment",
	"version",
	"revision",
	"row",
	"group",
	"arm",
	"decisions",
	"share_of_group_decisions",
	"learned_decisions",
	"units",
	"reward_per_learned_decision",
	"standard_error",
	"low_95",
	"high_95",
	"interval",
	"observation",
	"note",
] as const;

type Row = Partial<Record<(typeof COLUMNS)[number], Cell>>;

/** One table, RFC 4180: a row per group and arm, then the comparisons; empty cells where a number is withheld, with the reason in `note`. */
export function reportCsv(report: Report): string {
	const same = {
		experiment: report.experiment,
		version: report.version,
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
	const arms = [
		...report.arms.map((arm) => ({ group: "policy", ...arm })),
		...report.controlArms.map((arm) => ({ group: "control", ...arm })),
		...report.outsideArms.map((arm) => ({ group: "outside", ...arm })),
	];
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
		...arms.map(({ group, arm, decisions, share, n, mean, retired }) => ({
			row: "arm",
			group,
			arm,
			decisions,
			share_of_group_decisions: share,
			learned_decisions: n,
			reward_per_learned_decision: mean,
			note: retired ? "no longer in the definition" : null,
		})),
		{ row: "lift (policy minus control)", ...estimated(report.lift) },
		{
			row: "relative lift (fraction of control)",
			...estimated(report.relativeLift),
			reward_per_learned_decision: null,
			note:
				report.relativeLift.withheld ??
				`the lift is ${report.relativeLift.estimate} of control's mean`,
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
			reward_per_learned_decision: uniformExpected,
			note: uniformExpectedWithheld,
		},
	];
}

function estimated({
	estimate,
	standardError,
	low,
	high,
	kind,
	observation,
	withheld,
}: Estimate): Row {
	return {
		reward_per_learned_decision: estimate,
		standard_error: standardError,
		low_95: low,
		high_95: high,
		interval: withheld === null ? kind : null,
		observation: withheld === null ? observation : null,
		note: withheld,
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
