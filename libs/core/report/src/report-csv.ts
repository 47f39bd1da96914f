import type { ArmSummary } from "./arm-summary.js";
import { type Cell, csvCell } from "./csv-cell.js";
import type { Estimate } from "./estimate.js";
import type { HealthSentence } from "./health.js";
import type { GroupMean } from "./metric-summary.js";
import type { Report } from "./report.js";

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
	"total",
	"estimate",
	"standard_error",
	"low",
	"high",
	"confidence",
	"p_value",
	"interval",
	"observation",
	"note",
	"footnote",
] as const;

const UNITS =
	"listeners; after a change of control's share those of the epoch that has most, since a listener may be in several, while all other counts are over all epochs";

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

function answerRows({ answer, plan }: Report): Row[] {
	return [
		{ row: `answer: ${answer.verdict}`, note: answer.sentence },
		{ row: "what to do", note: answer.advice },
		...answer.reasons.map((note) => ({ row: "why", note })),
		...(plan === null
			? [{ row: "plan", note: "none was declared before the start" }]
			: [
					{
						row: "plan: smallest effect that matters",
						metric: plan.metric,
						units: plan.plannedUnits,
						estimate: plan.smallestEffect,
						standard_error: plan.plannedStandardError,
						confidence: 1 - plan.alpha,
						note: `fixed before the start; τ of the sequence is ${plan.tau}`,
						footnote: "lift" as const,
					},
				]),
	];
}

function freshnessRows({ freshness }: Report): Row[] {
	const { firstDecidedAt, lastDecidedAt, closedUntil, waiting } = freshness;
	const instants = {
		"first decision": firstDecidedAt,
		"last decision": lastDecidedAt,
		"lift and values tell of decisions before": closedUntil,
	};
	return [
		...Object.entries(instants).map(([row, at]) => ({
			row,
			note: at === null ? "none yet" : new Date(at).toISOString(),
		})),
		{ row: "later decisions that are waited for", decisions: waiting },
		{ row: "what units counts", note: UNITS },
	];
}

function healthRows({ health }: Report): Row[] {
	const said = (name: HealthSentence["of"]) =>
		health.sentences.find(({ of }) => of === name)?.sentence ?? null;
	const shares = (row: string, of: { readonly [name: string]: number }) =>
		Object.entries(of).map(([name, estimate]) => ({
			row: `${row}: ${name}`,
			estimate,
			footnote: "health",
		}));
	return [
		{
			row: "health: exploration left",
			estimate: health.exploration,
			note: said("exploration"),
			footnote: "health",
		},
		{
			row: "health: effective sample size, the least of an active arm",
			estimate: health.effectiveSampleSize,
			note: said("effective sample size"),
			footnote: "health",
		},
		{ row: "health: missing features", note: said("missing features") },
		...shares("health: missing feature", health.missing ?? {}),
		{
			row: "health: degraded share",
			estimate: health.degraded.share,
			note: said("degraded"),
			footnote: "health",
		},
		...shares("health: degraded", health.degraded.parts),
		{
			row: "health: late events",
			estimate: health.lateEvents,
			note: said("late events"),
			footnote: "health",
		},
		{
			row: "health: rows in no arm's value",
			decisions: health.unbooked,
			note: "they came or changed after those around them were counted",
			footnote: "health",
		},
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
		total: sum,
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
