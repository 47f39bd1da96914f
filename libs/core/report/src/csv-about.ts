import type { Row } from "./csv-row.js";
import type { HealthSentence } from "./health.js";
import type { Report } from "./report.js";

const UNITS =
	"listeners; after a change of control's share those of the epoch that has most, since a listener may be in several, while all other counts are over all epochs";

/** What to do and why, and what was planned. */
export function answerRows({ answer, plan }: Report): Row[] {
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

export function freshnessRows({ freshness }: Report): Row[] {
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

export function healthRows({ health }: Report): Row[] {
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
