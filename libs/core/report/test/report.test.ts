import { describe, expect, test } from "vitest";
import { makeReport, type ReportCounts } from "../src/index.js";
import { countsOf, definitionOf, type Row } from "./builders.js";

/**
 * Origin: an independent implementation of ratio metrics by the delta method ("skip ratio per session": skips of 150 and 140 units
 * over their plays), checked there against raw data; reduced here to the moments that the report is made of.
 */
const oracle = {
	a: { units: 150, n: 993, c: 281, nn: 7425, nc: 2116, cc: 809 },
	b: { units: 140, n: 975, c: 323, nn: 7733, nc: 2544, cc: 1029 },
	mean: [0.28298086606243705, 0.3312820512820513],
	variance: [0.03154832737485916, 0.028496861051692145],
	absolute: {
		estimate: 0.04830118521961424,
		standardError: 0.020343824370337743,
		low: 0.008259697523003907,
		high: 0.08834267291622458,
	},
	relative: {
		estimate: 0.1706871064878183,
		standardError: 0.07836750146019048,
		low: 0.01644121405337559,
		high: 0.324932998922261,
	},
};

const counts: ReportCounts = {
	...countsOf([]),
	arms: [
		{
			group: "control",
			arm: "focus",
			decisions: 1_100,
			learned: 993,
			rewardSum: 281,
			rewardSquaredSum: 281,
		},
		{
			group: "policy",
			arm: "focus",
			decisions: 1_000,
			learned: 975,
			rewardSum: 323,
			rewardSquaredSum: 323,
		},
	],
	units: [
		{ group: "control", ...oracle.a },
		{ group: "policy", ...oracle.b },
	],
};

describe("the delta method over units equals an independent implementation", () => {
	const report = makeReport(definitionOf(), counts);
	for (const [name, estimate] of [
		["lift", report.lift],
		["relativeLift", report.relativeLift],
	] as const)
		test(name, () => {
			// The ends within the precision of jstat's quantile.
			const expected = name === "lift" ? oracle.absolute : oracle.relative;
			for (const field of ["estimate", "standardError", "low", "high"] as const)
				expect(estimate[field], field).toBeCloseTo(
					expected[field],
					field === "low" || field === "high" ? 8 : 12,
				);
			expect(estimate).toMatchObject({
				kind: "fixed-horizon",
				confidence: 0.95,
				observation: "unit",
				withheld: null,
			});
		});

	test("mean and standard error of each group", () => {
		expect(report.control.mean).toBeCloseTo(oracle.mean[0]!, 12);
		expect(report.policy.mean).toBeCloseTo(oracle.mean[1]!, 12);
		expect(report.control.standardError).toBeCloseTo(
			Math.sqrt(oracle.variance[0]! / 150),
			12,
		);
		expect(report.policy.standardError).toBeCloseTo(
			Math.sqrt(oracle.variance[1]! / 140),
			12,
		);
		expect(report.policy).toMatchObject({
			decisions: 1_000,
			n: 975,
			units: 140,
		});
	});
});

const row = (
	group: Row["group"],
	arm: string,
	unit: string,
	reward?: number,
): Row => ({ group, arm, unit, reward });

describe("a report", () => {
	test("takes the unit as the observation: ten decisions of one unit say no more than one", () => {
		const two = (times: number) =>
			countsOf(
				["policy", "control"].flatMap((group) =>
					[0, 1].flatMap((unit) =>
						Array.from({ length: times }, () =>
							row(group as "policy", "focus", `${group}${unit}`, unit),
						),
					),
				),
			);
		const [once, often] = [1, 10].map((times) =>
			makeReport(definitionOf(), two(times)),
		);
		expect(often!.lift.standardError).toBeCloseTo(
			once!.lift.standardError!,
			12,
		);
		// Two units at 0 and 1: variance of the mean 1/4, one degree of freedom, t = 12.7062.
		expect(once!.policy.low).toBeCloseTo(0.5 - 12.706204736 * 0.5, 6);
	});

	test("widens by Student's t for few units and by the normal's 1.96 for very many", () => {
		const ratio = (units: number) => {
			const half = units / 2;
			const moments = {
				units,
				n: units,
				c: half,
				nn: units,
				nc: half,
				cc: half,
			};
			const groups = ["policy", "control"] as const;
			const arms = groups.map((group) => ({
				group,
				arm: "focus",
				decisions: units,
				learned: units,
				rewardSum: half,
				rewardSquaredSum: half,
			}));
			const { lift } = makeReport(
				definitionOf(),
				countsOf([], {
					arms,
					units: groups.map((group) => ({ group, ...moments })),
				}),
			);
			return lift.high! / lift.standardError!;
		};
		expect(ratio(6)).toBeCloseTo(2.228139, 5); // t, 10 degrees of freedom
		for (const units of [1e5, 1e6, 1e8])
			expect(ratio(units)).toBeCloseTo(1.95996, 4);
	});

	test("counts shares over all decisions and means over the learned, per group, in the definition's order", () => {
		const report = makeReport(
			definitionOf(),
			countsOf([
				row("policy", "energy", "u1", 1),
				row("policy", "energy", "u2"),
				row("policy", "focus", "u3", 0.5),
				row("policy", "old", "u4", 0.25),
				row("control", "focus", "u5", 2),
				row("outside", "focus", "u6"),
			]),
		);
		expect(report.arms).toEqual([
			{
				arm: "focus",
				retired: false,
				decisions: 1,
				share: 0.25,
				n: 1,
				mean: 0.5,
			},
			{
				arm: "energy",
				retired: false,
				decisions: 2,
				share: 0.5,
				n: 1,
				mean: 1,
			},
			{ arm: "calm", retired: false, decisions: 0, share: 0, n: 0, mean: null },
			{
				arm: "old",
				retired: true,
				decisions: 1,
				share: 0.25,
				n: 1,
				mean: 0.25,
			},
		]);
		expect(report.controlArms[0]).toMatchObject({
			arm: "focus",
			share: 1,
			mean: 2,
		});
		expect(report.outside).toEqual({ decisions: 1 });
		expect(report.freshness).toEqual({
			revision: 7,
			firstDecidedAt: 1_750_000_000_000,
			lastDecidedAt: 1_750_000_060_000,
		});
	});

	test("names the best single arm among control's rows, with its n and interval over units", () => {
		const control = [
			row("control", "focus", "u1", 0),
			row("control", "focus", "u2", 1),
			row("control", "calm", "u3", 1),
			row("control", "calm", "u4", 2),
			row("control", "calm", "u4", 2),
		];
		const { bestSingleArm } = makeReport(
			definitionOf(),
			countsOf([...control, row("policy", "energy", "u9", 2)]),
		);
		expect(bestSingleArm).toMatchObject({
			arm: "calm",
			n: 3,
			observation: "unit",
			withheld: null,
		});
		expect(bestSingleArm.mean).toBeCloseTo(5 / 3, 12);
		// Units (n, C) = (1, 1), (2, 4): R = 5/3, Σ(C − Rn)² = 8/9, Var = 8/9 · 2 / (1 · 9).
		expect(bestSingleArm.standardError).toBeCloseTo(Math.sqrt(16 / 81), 12);
	});

	test("without moments per arm takes the decision as the observation, and says so", () => {
		const control = [0, 1, 1, 0].map((reward, i) =>
			row("control", "calm", `u${i}`, reward),
		);
		const { bestSingleArm, notes } = makeReport(
			definitionOf(),
			countsOf(control, { armUnits: undefined }),
		);
		expect(bestSingleArm).toMatchObject({
			arm: "calm",
			mean: 0.5,
			n: 4,
			observation: "decision",
		});
		expect(bestSingleArm.standardError).toBeCloseTo(Math.sqrt(1 / 3 / 4), 12);
		expect(notes.join()).toMatch(/too narrow/);
	});

	test("gives uniformExpected only where control is uniform", () => {
		const rows = countsOf([
			row("control", "energy", "u1", 1),
			row("control", "focus", "u2", 0),
		]);
		expect(makeReport(definitionOf(), rows)).toMatchObject({
			uniformExpected: 0.5,
			uniformExpectedWithheld: null,
		});
		const named = makeReport(
			definitionOf({ traffic: { share: 1, control: 0.1, baseline: "energy" } }),
			rows,
		);
		expect(named.uniformExpected).toBeNull();
		expect(named.uniformExpectedWithheld).toMatch(/energy/);
	});

	test("withholds what cannot be said, with the reason, and stays whole when the log is empty", () => {
		const empty = makeReport(
			definitionOf(),
			countsOf([], { firstDecidedAt: null, lastDecidedAt: null }),
		);
		expect(empty.lift).toMatchObject({
			estimate: null,
			low: null,
			withheld: expect.stringMatching(/policy group/),
		});
		expect(empty.bestSingleArm).toMatchObject({
			arm: null,
			mean: null,
			n: 0,
			withheld: expect.stringMatching(/control/),
		});
		expect(empty.uniformExpected).toBeNull();
		expect(JSON.stringify(empty)).not.toMatch(/NaN|Infinity/);

		const policy = [
			row("policy", "focus", "u1", 1),
			row("policy", "focus", "u2", 0),
		];
		const one = makeReport(
			definitionOf(),
			countsOf([...policy, row("control", "focus", "u3", 0)]),
		);
		expect(one.lift).toMatchObject({
			estimate: 0.5,
			standardError: null,
			low: null,
			withheld: expect.stringMatching(/control group has one unit/),
		});
		expect(one.relativeLift).toMatchObject({
			estimate: null,
			withheld: expect.stringMatching(/is 0/),
		});

		const same = ["policy", "control"].flatMap((group) =>
			[0, 1].map((i) => row(group as "policy", "focus", `${group}${i}`, 1)),
		);
		expect(makeReport(definitionOf(), countsOf(same)).lift).toMatchObject({
			estimate: 0,
			low: null,
			withheld: expect.stringMatching(/earned the same/),
		});
	});

	test("says in one sentence what was earned and whether it may be chance", () => {
		const { sentence } = makeReport(definitionOf(), counts);
		expect(sentence).toBe(
			"The policy earned 0.3313 per learned decision, 0.0483 more than control's 0.283 (95 % interval of the difference: 0.0083 to 0.0883).",
		);
		const unsure = {
			...counts,
			units: counts.units.map((moments) => ({
				...moments,
				cc: moments.cc * 10,
			})),
		};
		expect(makeReport(definitionOf(), unsure).sentence).toMatch(
			/may be chance/,
		);
	});

	test("warns of what would mislead", () => {
		const notes = (changes: object, rest: object, more: object) =>
			makeReport(
				definitionOf({ ...changes }, rest),
				countsOf([], more),
			).notes.join("\n");
		expect(
			notes({ traffic: { share: 1, control: 0, baseline: "uniform" } }, {}, {}),
		).toMatch(/traffic\.control is 0/);
		expect(notes({}, { version: 3 }, {})).toMatch(/version 3/);
		expect(notes({}, { epoch: 2 }, {})).toMatch(
			/control share has been changed/,
		);
		expect(notes({}, {}, { deadLetters: 4, waitingEvents: 5 })).toMatch(
			/4 messages[\s\S]*5 events/,
		);
	});
});
