import { expect, it } from "vitest";
import { parseExperiment } from "#core/experiment";
import { aDefinition } from "../../../../test/support/builders.js";
import { ReadGuardrails } from "../src/index.js";

/** Of a running experiment as its row has it, of which nothing is counted yet. */
async function statusesOf(guardrails: readonly object[]) {
	const parsed = parseExperiment(
		{
			key: "old",
			arms: [{ key: "a" }, { key: "b" }],
			policy: { kind: "linucb" },
			reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
			guardrails,
		},
		"stored",
	);
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	const row = {
		...aDefinition(parsed.value),
		createdAt: 1_000,
		action: "start" as const,
		actor: "ada",
		why: "",
	};
	const read = await new ReadGuardrails(
		{ find: async () => row },
		{ page: async (_, below) => (below === null ? [row] : []) },
		{ sums: async () => null },
		{ since: async () => [] },
	).execute("old");
	return read.guardrails.map(({ status, sentence }) => ({ status, sentence }));
}

it.each([
	[
		"churn",
		"No metric of the name churn is known, so this guardrail never acts: name one that is, or take it out.",
	],
	[
		"return_1d",
		"return_1d counts over a span of its own, which no guardrail follows, so this one never acts: guard what a single decision comes to, such as skip_rate or save_rate.",
	],
])(
	"a guardrail on %s that was stored before such were refused is told of as one that never acts, beside those that do",
	async (metric, sentence) => {
		expect(
			await statusesOf([
				{ metric, min: 0.1, action: "alert" },
				{ metric: "skip_rate", max: 0.4, action: "pause" },
			]),
		).toEqual([
			{ status: "waiting", sentence },
			{
				status: "waiting",
				sentence: expect.stringContaining("skip_rate cannot be judged yet"),
			},
		]);
	},
);
