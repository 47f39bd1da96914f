import { describe, expect, test } from "vitest";
import {
	addScore,
	armValue,
	emptyScores,
	type ScoreSums,
} from "#core/statistics";
import { makeReport } from "../src/index.js";
import { definitionOf, inputOf, unitsOf } from "./builders.js";
import { groups, PLANNED, planned } from "./planned.js";

/** Of an arm that is drawn every second time, and then earns what is given of each. */
function scoresOf(reward: (i: number) => number): ScoreSums {
	const scores = emptyScores();
	for (let i = 0; i < 2_000; i++)
		addScore(scores, {
			h: 0.5,
			p: 0.5,
			model: 0.5,
			reward: i % 2 === 0 ? null : reward(i),
		});
	return scores;
}

describe("the arms", () => {
	test("have no value before there is evidence, and say how much is wanting", () => {
		const { armValues } = makeReport(inputOf(groups(150, 90, 60), planned));
		expect(armValues.map(({ arm }) => arm)).toEqual([
			"focus",
			"energy",
			"calm",
		]);
		for (const { value } of armValues) {
			expect(value.estimate).toBeNull();
			expect(value.withheld).toMatch(/not enough evidence/);
		}
	});

	test("share one α among them, also with those that only the log knows", () => {
		const scores = scoresOf((i) => (i % 3) / 2);
		const rows = [
			...groups(150, 90, 60),
			...unitsOf("policy", 10, 5, { arm: "old" }),
		];
		const input = inputOf(rows, planned);
		const { armValues } = makeReport({
			...input,
			booked: { ...input.booked, scores: new Map([["calm", scores]]) },
		});
		expect(armValues).toHaveLength(4);
		const calm = armValues.find(({ arm }) => arm === "calm");
		expect(calm?.value).toMatchObject({ confidence: 1 - 0.05 / 4 });
		const want = armValue(scores, 0.05 / 4, [0, 2]);
		expect(want.kind === "shown" && [want.low, want.high]).toEqual([
			calm?.value.low,
			calm?.value.high,
		]);
	});

	test("best single arm among control's rows, with its interval over units", () => {
		const rows = [
			...unitsOf("control", 150, 60, { arm: "calm" }),
			...unitsOf("control", 150, 30, { arm: "energy" }),
			...unitsOf("policy", 150, 75),
		];
		const { bestSingleArm } = makeReport(inputOf(rows, planned));
		expect(bestSingleArm).toMatchObject({ arm: "calm", n: 150, mean: 0.4 });
		expect(bestSingleArm.low).toBeLessThan(0.4);
	});

	test("are compared by every metric among control's decisions, but not by what a listener does who is given several", () => {
		const rows = [
			...unitsOf("control", 60, 30, { arm: "calm" }),
			...unitsOf("control", 20, 10, { arm: "energy" }),
			...unitsOf("policy", 150, 150, { arm: "calm" }),
		];
		const report = (more: object) =>
			makeReport(inputOf(rows, definitionOf({ ...PLANNED, ...more })));
		const of = (name: string, more = {}) =>
			report(more).metricsByArm.find(({ metric }) => metric === name)?.arms;
		expect(of("reward")).toMatchObject([
			{ arm: "focus", mean: null, units: 0 },
			{ arm: "energy", mean: null, sum: null, units: 20 },
			{ arm: "calm", mean: 0.5, units: 60, withheld: null },
		]);
		expect(of("return_7d")?.[2]?.withheld).toMatch(/sticky: unit/);
		expect(of("session_length", { sticky: "unit" })?.[2]?.withheld).toMatch(
			/not enough listeners/,
		);
		expect(
			of("reward", {
				traffic: { share: 1, control: 0.5, baseline: "focus" },
			})?.[2]?.withheld,
		).toMatch(/always given focus/);
	});

	test("that were added while it ran are compared by every metric too, and those that are gone", () => {
		const added = definitionOf({
			...PLANNED,
			arms: [{ key: "energy" }, { key: "calm" }, { key: "late" }],
		});
		const rows = [
			...unitsOf("control", 60, 30, { arm: "calm" }),
			...unitsOf("control", 50, 20, { arm: "late" }),
			...unitsOf("control", 40, 10, { arm: "focus" }),
		];
		const { metricsByArm, armValues } = makeReport({
			...inputOf(rows, added),
			atStart: planned.experiment,
		});
		const reward = metricsByArm.find(({ metric }) => metric === "reward");
		expect(reward?.arms).toMatchObject([
			{ arm: "energy", mean: null },
			{ arm: "calm", mean: 0.5 },
			{ arm: "late", mean: 0.4 },
			{ arm: "focus", mean: 0.25 },
		]);
		expect(armValues.map(({ arm }) => arm)).toEqual(
			reward?.arms.map(({ arm }) => arm),
		);
	});

	test("that the definition no longer has stand last", () => {
		const rows = [
			...unitsOf("policy", 100, 50),
			...unitsOf("policy", 100, 50, { arm: "gone" }),
		];
		const { arms, armValues } = makeReport(inputOf(rows, planned));
		expect(arms.at(-1)).toMatchObject({ arm: "gone", retired: true });
		expect(armValues.at(-1)).toMatchObject({ arm: "gone", retired: true });
	});
});

test("an arm whose decisions earn an outcome several times has a value, and its lift too", () => {
	const definition = definitionOf({
		...PLANNED,
		reward: {
			window: "30m",
			outcomes: [{ type: "complete", value: 0.1 }],
		},
	});
	// From none to ten tracks are played to their end.
	const tracks = (i: number) => (i % 11) / 10;
	const rows = groups(500, 0, 0).map((row, i) => ({
		...row,
		reward: tracks(i),
	}));
	const scores = scoresOf(tracks);
	const input = inputOf(rows, definition);
	const report = makeReport({
		...input,
		booked: { ...input.booked, scores: new Map([["focus", scores]]) },
	});
	expect(report.armValues[0]?.value.withheld).toBeNull();
	expect(report.lift.withheld).toBeNull();
});
