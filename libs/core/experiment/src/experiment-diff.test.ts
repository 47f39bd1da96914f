import { describe, expect, it } from "vitest";
import {
	bucketMsFor,
	diffExperiment,
	type Experiment,
	type Policy,
	parseDuration,
	parseExperiment,
	renderDuration,
} from "./index.js";

const document = {
	key: "e",
	arms: [
		{ key: "a", payload: { text: "A" } },
		{ key: "b", payload: { text: "B" } },
	],
	context: { features: [{ name: "n", from: "request", kind: "number" }] },
	policy: { kind: "linucb", alpha: 0.5 },
	reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
	traffic: { control: 0.1 },
};

function parsed(raw: unknown): Experiment {
	const result = parseExperiment(raw);
	if (!result.ok) throw new Error(JSON.stringify(result.problems));
	return result.value;
}
const diff = (changes: object) =>
	diffExperiment(parsed(document), parsed({ ...document, ...changes }));

describe("what changed", () => {
	it("is nothing between an experiment and itself, written in another way", () => {
		expect(
			diff({
				traffic: { baseline: "uniform", control: 0.1, share: 1 },
				name: "e",
			}),
		).toEqual({
			changes: [],
			newVersion: false,
			newEpoch: false,
			reasons: [],
		});
	});

	it.each<[string, object, string[]]>([
		[
			"alpha",
			{ policy: { kind: "linucb", alpha: 1 } },
			["policy.alpha: 0.5 → 1"],
		],
		[
			"how long a decision may wait for a profile",
			{ context: { ...document.context, enrichBudgetMs: 50 } },
			["context.enrichBudgetMs added: 50"],
		],
		[
			"the policy's kind",
			{ policy: { kind: "uniform" } },
			["policy.kind: linucb → uniform", "policy.alpha removed: 0.5"],
		],
		[
			"a payload",
			{ arms: [{ key: "a", payload: { text: "C" } }, document.arms[1]] },
			['arms[a].payload: {"text":"A"} → {"text":"C"}'],
		],
		[
			"an arm added",
			{ arms: [...document.arms, { key: "c" }] },
			['arms[c] added: {"key":"c","payload":{},"tags":[]}'],
		],
		[
			"an arm removed",
			{ arms: [document.arms[0]] },
			['arms[b] removed: {"key":"b","payload":{"text":"B"},"tags":[]}'],
		],
		[
			"the order of arms",
			{ arms: [document.arms[1], document.arms[0]] },
			["arms: the order is now b, a"],
		],
		[
			"a rule",
			{
				arms: [
					{ ...document.arms[0], eligible: "context.n > 0" },
					document.arms[1],
				],
			},
			["arms[a].eligible added: context.n > 0"],
		],
		[
			"share",
			{ traffic: { share: 0.5, control: 0.1 } },
			["traffic.share: 1 → 0.5"],
		],
		[
			"a half-life of the same bucket",
			{ policy: { kind: "linucb", halfLife: "16d" } },
			["policy.halfLife added: 16d"],
		],
		[
			"a guardrail",
			{ guardrails: [{ metric: "skip_rate", max: 1, action: "pause" }] },
			[
				'guardrails[skip_rate] added: {"metric":"skip_rate","max":1,"action":"pause"}',
			],
		],
	])("%s makes no new version", (_, changes, expected) => {
		const { changes: said, newVersion, newEpoch } = diff(changes);
		expect(newVersion || newEpoch).toBe(false);
		expect(said).toEqual(expected);
	});

	it.each<[string, object, string]>([
		["a feature", { context: { features: [] } }, "context.features[n] removed"],
		[
			"a scale",
			{
				context: { features: [{ ...document.context.features[0], scale: 2 }] },
			},
			"context.features[n].scale: 1 → 2",
		],
		[
			"the intercept",
			{ context: { ...document.context, intercept: false } },
			"context.intercept: true → false",
		],
		[
			"a reward value",
			{ reward: { window: "30m", outcomes: [{ type: "play", value: 0.5 }] } },
			"reward.outcomes[play].value: 1 → 0.5",
		],
		[
			"the window",
			{ reward: { ...document.reward, window: "1h" } },
			"reward.window: 30m → 1h",
		],
		[
			"learn",
			{ reward: { ...document.reward, learn: "decision" } },
			"reward.learn: impression → decision",
		],
		[
			"a half-life of another bucket",
			{ policy: { kind: "linucb", halfLife: "1d" } },
			"policy.halfLife added: 1d",
		],
	])("%s makes a new version and says why", (_, changes, expected) => {
		const { changes: said, newVersion, reasons } = diff(changes);
		expect(newVersion).toBe(true);
		expect(said.join("\n")).toContain(expected);
		expect(reasons).toHaveLength(1);
		expect(reasons[0]).toContain("a new version learns from the start");
	});

	it.each<[string, object[], object[], string]>([
		[
			"comes",
			document.arms,
			[...document.arms, { key: "c" }],
			"New: c. It is tried as an arm of which nothing is known",
		],
		[
			"is paused",
			document.arms,
			[document.arms[0]!, { ...document.arms[1], state: "paused" }],
			"Paused: b. No decision chooses it later than 2 s after the change",
		],
		[
			"is retired",
			document.arms,
			[document.arms[0]!, { ...document.arms[1], state: "retired" }],
			"Retired: b. No decision chooses it later than 2 s after the change; outcomes of earlier decisions still count.",
		],
		[
			"is active again",
			[document.arms[0]!, { ...document.arms[1], state: "paused" }],
			document.arms,
			"Active again: b. It may be chosen, with all that was learned of it.",
		],
		[
			"is removed",
			document.arms,
			[document.arms[0]!],
			"Removed: b. No decision chooses it later than 2 s after the change",
		],
	])("says what it means that an arm %s", (_, before, after, expected) => {
		const { newVersion, reasons } = diffExperiment(
			parsed({ ...document, arms: before }),
			parsed({ ...document, arms: after }),
		);
		expect(newVersion).toBe(false);
		expect(reasons).toHaveLength(1);
		expect(reasons[0]).toContain(expected);
	});

	it("names at most ten of the arms that come together, and says each thing once", () => {
		const many = Array.from({ length: 12 }, (_, i) => ({ key: `n${i}` }));
		const { reasons } = diff({ arms: [document.arms[0], ...many] });
		expect(reasons).toHaveLength(2);
		expect(reasons[0]).toContain("n8, n9 and 2 more.");
		expect(reasons[1]).toContain("Removed: b.");
	});

	it("of the control share makes a new epoch", () => {
		expect(diff({ traffic: { control: 0.2 } })).toMatchObject({
			newVersion: false,
			newEpoch: true,
			changes: ["traffic.control: 0.1 → 0.2"],
		});
	});

	it("of the baseline makes a new epoch too: control is another one from then on", () => {
		expect(diff({ traffic: { control: 0.1, baseline: "a" } })).toMatchObject({
			newVersion: false,
			newEpoch: true,
			changes: ["traffic.baseline: uniform → a"],
		});
	});
});

describe("the width of a bucket", () => {
	const policy = (halfLife?: string, slidingWindow?: string): Policy => ({
		kind: "uniform",
		ridge: 1,
		explore: 0,
		...(halfLife === undefined
			? {}
			: { halfLifeMs: parseDuration(halfLife) ?? 0 }),
		...(slidingWindow === undefined
			? {}
			: { slidingWindowMs: parseDuration(slidingWindow) ?? 0 }),
	});

	it.each([
		[undefined, undefined, "1d"],
		["16d", undefined, "1d"],
		["14d", undefined, "12h"],
		["8d", undefined, "12h"],
		["191h", undefined, "6h"],
		["95h", undefined, "1h"],
		["16h", undefined, "1h"],
		["15h", undefined, "30m"],
		["8h", "160m", "10m"],
		[undefined, "159m", "1m"],
		["16m", undefined, "1m"],
	])(
		"for halfLife %s and slidingWindow %s is %s",
		(halfLife, slidingWindow, expected) => {
			expect(bucketMsFor(policy(halfLife, slidingWindow))).toBe(
				parseDuration(expected),
			);
		},
	);

	it("does not exist below 16 minutes", () => {
		expect(bucketMsFor(policy("16m", "15m"))).toMatchObject({
			path: "policy.slidingWindow",
		});
	});
});

describe("a duration", () => {
	it.each([
		["30s", 30_000],
		["5m", 300_000],
		["12h", 43_200_000],
		["14d", 1_209_600_000],
		["1500ms", 1500],
	])("%s is %d ms, and back", (text, milliseconds) => {
		expect(parseDuration(text)).toBe(milliseconds);
		expect(renderDuration(milliseconds)).toBe(text);
	});

	it.each(["", "30", "s", "1.5h", "-3m", "0s", "5 m", "1w", "1h30m"])(
		"is not %j",
		(text) => {
			expect(parseDuration(text)).toBeNull();
		},
	);
});
