import { describe, expect, test } from "vitest";
import { type GuardrailSummary, makeReport } from "../src/index.js";
import { definitionOf, inputOf, unitsOf } from "./builders.js";
import { groups, PLANNED, planned } from "./planned.js";

const broken: GuardrailSummary = {
	metric: "skip_rate",
	limit: "at most 0.35",
	action: "pause",
	status: "broken",
	estimate: 0.5,
	bound: 0.01,
	sentence: "skip_rate is 0.5, at most 0.35 is allowed",
};

describe("the answer", () => {
	test("before 100 units in each group: cannot tell, and the lift is withheld with the reason", () => {
		const report = makeReport(inputOf(groups(99, 90, 20), planned));
		expect(report.answer.verdict).toBe("cannot tell");
		expect(report.lift).toMatchObject({ estimate: null, low: null });
		expect(report.lift.withheld).toMatch(/not enough listeners yet/);
		expect(report.answer.advice).toBe(
			"Wait: 198 of 4,000 planned listeners are in.",
		);
	});

	test("once the interval lies above zero: ship", () => {
		const report = makeReport(inputOf(groups(1000, 600, 450), planned));
		expect(report.answer.verdict).toBe("ship");
		expect(report.sentence).toMatch(
			/^The policy had 0\.15 more reward than control's 0\.45 \(reward; 95 % interval 0\.0\d+ to 0\.2\d+, valid however often it is read\)\.$/,
		);
	});

	test("below zero: stop", () => {
		const report = makeReport(inputOf(groups(1000, 450, 600), planned));
		expect(report.answer.verdict).toBe("stop");
		expect(report.answer.advice).toMatch(/worse/);
	});

	test("of a metric of which less is better the other way round", () => {
		const rows = groups(1000, 450, 600);
		const skips = definitionOf({
			...PLANNED,
			metrics: {
				primary: { ...PLANNED.metrics.primary, metric: "skip_rate" },
			},
		});
		const input = inputOf(rows, skips);
		const place = input.booked.metrics.findIndex(
			({ name }) => name === "reward",
		);
		const other = input.booked.metrics.findIndex(
			({ name }) => name === "skip_rate",
		);
		// What the rows earned is taken for their skips.
		const epochs = input.booked.epochs.map((epoch) => ({
			...epoch,
			slices: epoch.slices.map((slice) => ({
				...slice,
				moments: slice.moments.map((moments, i) =>
					i === other ? slice.moments[place]! : moments,
				),
			})),
		}));
		const report = makeReport({
			...input,
			booked: { ...input.booked, epochs },
		});
		expect(report.metrics[0]).toMatchObject({
			metric: "skip_rate",
			role: "primary",
			better: "lower",
		});
		expect(report.answer.verdict).toBe("ship");
	});

	test("where the smallest effect that matters is ruled out: stop", () => {
		const report = makeReport(inputOf(groups(20_000, 10_000, 10_000), planned));
		expect(report.answer.verdict).toBe("stop");
		expect(report.answer.advice).toMatch(
			/0\.1, the smallest that matters, is ruled out/,
		);
	});

	test("while both are open: keep going, and how far it is", () => {
		const report = makeReport(inputOf(groups(300, 155, 150), planned));
		expect(report.answer.verdict).toBe("keep going");
		expect(report.answer.advice).toBe(
			"Keep going: 600 of 4,000 planned listeners are in.",
		);
		expect(report.sentence).toMatch(/so it may be chance/);
	});

	test("of groups that are not split as planned: do not trust, and the numbers are covered", () => {
		const rows = [
			...unitsOf("policy", 40_000, 20_000),
			...unitsOf("control", 30_000, 18_000),
		];
		const report = makeReport(inputOf(rows, planned));
		expect(report.answer.verdict).toBe("do not trust");
		for (const estimate of [
			report.lift,
			report.relativeLift,
			report.cohortLift,
			report.metrics[0]!.lift,
		])
			expect(estimate).toMatchObject({
				estimate: null,
				low: null,
				high: null,
				withheld: "covered: sample ratio failed",
			});
		expect(report.timeline.looks).toEqual([]);
		// What the lift is measured from would give it away.
		expect(report.metrics[0]).toMatchObject({
			comparedWith: null,
			pValue: null,
			policy: { mean: null, sum: null },
			control: { mean: null, sum: null },
		});
	});

	test("where a guardrail is broken and the split is wrong too: do not trust, and stop the harm", () => {
		const rows = [
			...unitsOf("policy", 40_000, 20_000),
			...unitsOf("control", 30_000, 18_000),
		];
		const { answer } = makeReport(
			inputOf(rows, planned, {
				guardrails: [{ ...broken, action: "alert" }],
			}),
		);
		expect(answer).toMatchObject({
			verdict: "do not trust",
			sentence: expect.stringMatching(
				/sample ratio failed\. A guardrail is broken: skip_rate is 0\.5/,
			),
			advice: expect.stringMatching(
				/the policy still serves: pause the experiment yourself\. Do not decide by this report/,
			),
		});
	});

	test("where a guardrail is broken: stop, and which", () => {
		const report = makeReport(
			inputOf(groups(1000, 600, 450), planned, {
				guardrails: [broken],
			}),
		);
		expect(report.answer.verdict).toBe("stop");
		expect(report.sentence).toMatch(/skip_rate is 0\.5/);
	});

	test("without control says how to get one", () => {
		const alone = definitionOf({ traffic: { control: 0 } });
		const report = makeReport(inputOf(unitsOf("policy", 500, 200), alone));
		expect(report.lift.withheld).toMatch(/traffic\.control is 0/);
		expect(report.answer.advice).toMatch(/Set traffic\.control/);
		const early = makeReport(inputOf(unitsOf("policy", 5, 2), planned));
		expect(early.answer.advice).toBe(
			"Wait: 5 of 4,000 planned listeners are in.",
		);
	});
});
