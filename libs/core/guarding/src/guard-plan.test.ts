import { describe, expect, it } from "vitest";
import { anExperiment } from "../../../../test/support/builders.js";
import { GUARDRAILS_ALPHA, type Guard, guardPlan } from "./guard-plan.js";

const guarded = (guardrails: readonly object[], more: object = {}) =>
	guardPlan(
		anExperiment({
			key: "guarded",
			arms: [{ key: "a" }, { key: "b" }],
			policy: { kind: "linucb" },
			reward: {
				window: "30m",
				range: [-1, 3],
				outcomes: [{ type: "play", value: 1 }],
			},
			traffic: { control: 0.2 },
			guardrails,
			...more,
		}),
	);
const guardsOf = (...args: Parameters<typeof guarded>): readonly Guard[] =>
	guarded(...args).flatMap(({ guards }) => guards);
const alert = { action: "alert" };

describe("what is watched of guardrails", () => {
	it("is nothing without any", () => {
		expect(guarded([])).toEqual([]);
	});

	it("is counted together where the same time must pass, each metric once", () => {
		const books = guarded([
			{ metric: "skip_rate", max: 0.35, ...alert },
			{ metric: "save_rate", min: 0.1, within: "30s", ...alert },
			{ metric: "skip_rate", versus: "control", ...alert },
			{ metric: "play_rate", min: 0.1, ...alert },
		]);
		expect(
			books.map(({ withinMs, metrics, guards }) => [
				withinMs,
				metrics.map(({ name }) => name),
				guards.map(({ guardrail, column }) => [guardrail, column]),
			]),
		).toEqual([
			[
				30_000,
				["skip_rate", "save_rate"],
				[
					[0, 0],
					[1, 1],
					[2, 0],
				],
			],
			[1_800_000, ["play_rate"], [[3, 0]]],
		]);
	});

	it("waits as long as the metric of the experiment's own does, and for what is learned at the close of its window until then", () => {
		const define = [{ name: "dislikes", event: "dislike", within: "2m" }];
		const within = (metric: string, more: object = {}) =>
			guarded([{ metric, max: 1, ...alert }], more)[0]?.withinMs;
		expect(within("dislikes", { metrics: { define } })).toBe(120_000);
		const reward = {
			window: "10m",
			learn: "windowClose",
			outcomes: [{ type: "play", value: 1 }],
		};
		const early = { metric: "reward", min: 0, within: "1m", ...alert };
		expect(guarded([early], { reward })[0]?.withinMs).toBe(600_000);
		expect(guarded([early])[0]?.withinMs).toBe(60_000);
	});

	it("shares one α among all bounds, two for a guardrail with both", () => {
		const guards = guardsOf([
			{ metric: "skip_rate", max: 0.35, min: 0.01, ...alert },
			{ metric: "save_rate", versus: "control", margin: 0.02, ...alert },
		]);
		expect(guards.map(({ level }) => level.alpha)).toEqual(
			Array(3).fill(GUARDRAILS_ALPHA / 3),
		);
		expect(guards.map(({ rule }) => rule)).toEqual([
			{ kind: "max", limit: 0.35 },
			{ kind: "min", limit: 0.01 },
			{ kind: "versusControl", margin: 0.02, worse: "lower" },
		]);
	});

	it("knows which way is worse than control", () => {
		const define = [
			{ name: "dislikes", event: "dislike", better: "lower" },
			{ name: "shares", event: "share" },
		];
		const worse = (metric: string) => {
			const [guard] = guardsOf([{ metric, versus: "control", ...alert }], {
				metrics: { define },
			});
			return guard?.rule.kind === "versusControl" && guard.rule.worse;
		};
		expect(
			["skip_rate", "time_to_first_play", "revenue", "dislikes", "shares"].map(
				worse,
			),
		).toEqual(["higher", "higher", "lower", "higher", "lower"]);
	});

	it("takes for a rate only what no unit can have more of than one each", () => {
		const define = [
			{ name: "sharers", event: "share", per: "unit" },
			{ name: "shares", event: "share", per: "unit", count: "each" },
			{ name: "shared", event: "share" },
		];
		const isRate = (metric: string) => {
			const [guard] = guardsOf([{ metric, max: 0.5, ...alert }], {
				metrics: { define },
			});
			return guard?.level.isRate;
		};
		expect(
			[
				"skip_rate",
				"premium_rate",
				"sharers",
				"shares",
				"shared",
				"revenue",
			].map(isRate),
		).toEqual([true, true, true, false, true, false]);
	});

	it("looks first where the definition says, else at 100 decisions and 100 units", () => {
		const first = (looks: object) =>
			guardsOf([{ metric: "skip_rate", max: 0.35, ...looks, ...alert }])[0]
				?.level.firstLook;
		expect(first({})).toEqual({ decisions: 100, units: 100 });
		expect(first({ firstLook: { units: 20 } })).toEqual({
			decisions: 100,
			units: 20,
		});
	});

	it.each([
		[
			"a rate at its limit",
			{ metric: "skip_rate", max: 0.35 },
			Math.sqrt(0.35 * 0.65),
		],
		["a rate that is never to be", { metric: "skip_rate", max: 0 }, 0.4],
		["the reward, by its range", { metric: "reward", min: 0 }, 1],
		[
			"seconds, as wide as they are",
			{ metric: "time_to_first_play", max: 8 },
			8,
		],
		["money without a limit to go by", { metric: "revenue", min: 0 }, 1],
	])("is narrowest at a thousand decisions of %s", (_, guardrail, spread) => {
		const [guard] = guardsOf([{ ...guardrail, ...alert }]);
		expect(guard?.level.tau).toBeCloseTo(
			(2.82 * spread) / Math.sqrt(1_000),
			12,
		);
	});

	it("takes the plan of the primary metric where it is the same, and both groups' spread beside control", () => {
		const metrics = {
			primary: {
				metric: "save_rate",
				smallestEffect: 0.02,
				plannedUnits: 20_000,
				expected: 0.1,
			},
		};
		const versus = { metric: "save_rate", versus: "control", ...alert };
		const [guard] = guardsOf([versus], { metrics });
		const se = 0.3 * Math.sqrt(1 / 1_000 + 1 / 250);
		expect(guard?.level.tau).toBeCloseTo(2.82 * se, 12);
		const { expected: _, ...primary } = metrics.primary;
		const spread = { ...primary, spread: 0.5 };
		const [wide] = guardsOf([versus], { metrics: { primary: spread } });
		expect(wide?.level.tau).toBeCloseTo((2.82 * se * 0.5) / 0.3, 12);
	});
});
