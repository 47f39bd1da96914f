import { describe, expect, test } from "vitest";
import { ALL } from "#core/booking";
import { makeReport, overRuns, type Report, stratumOf } from "../src/index.js";
import {
	bookedOf,
	definitionOf,
	HOUR,
	inputOf,
	type Row,
	unitsOf,
} from "./builders.js";

const PLANNED = {
	metrics: {
		primary: {
			metric: "reward",
			smallestEffect: 0.1,
			plannedUnits: 4000,
			expected: 0.5,
		},
		secondary: ["click_rate"],
	},
	traffic: { share: 1, control: 0.5, baseline: "uniform" },
};
const planned = definitionOf(PLANNED);

/** So many units in each group, of whom so many earn 1. */
const groups = (units: number, policy: number, control: number) => [
	...unitsOf("policy", units, policy),
	...unitsOf("control", units, control),
];

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
	});

	test("where a guardrail is broken: stop, and which", () => {
		const report = makeReport(
			inputOf(groups(1000, 600, 450), planned, {
				guardrails: [
					{
						metric: "skip_rate",
						limit: "at most 0.35",
						action: "pause",
						status: "broken",
						estimate: 0.5,
						bound: 0.01,
						sentence: "skip_rate is 0.5, at most 0.35 is allowed",
					},
				],
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
	});
});

describe("the lift", () => {
	test("is the ratio of sums in policy minus that in control, its interval the normal mixture's", () => {
		const report = makeReport(inputOf(groups(1000, 600, 450), planned));
		// By hand: p(1 − p)/999 a group; planner's SE 0.5·√(1/2000 + 1/2000), τ 2.82 times that.
		const variance = (0.6 * 0.4 + 0.45 * 0.55) / 999;
		const tau = 2.82 * 0.5 * Math.sqrt(1 / 2000 + 1 / 2000);
		const m = (tau * tau) / variance;
		const half = Math.sqrt(
			variance * (1 + 1 / m) * (Math.log1p(m) + 2 * Math.log(20)),
		);
		expect(report.plan).toMatchObject({ tau, alpha: 0.05 });
		expect(report.lift.estimate).toBeCloseTo(0.15, 12);
		expect(report.lift.standardError).toBeCloseTo(Math.sqrt(variance), 12);
		expect(report.lift.low).toBeCloseTo(0.15 - half, 12);
		expect(report.lift.high).toBeCloseTo(0.15 + half, 12);
		expect(report.lift).toMatchObject({
			kind: "always-valid",
			observation: "unit",
			confidence: 0.95,
		});
	});

	test("takes the unit as the observation: ten decisions of one unit say no more than one", () => {
		const once = groups(200, 120, 90);
		const often = Array.from({ length: 10 }, () => once).flat();
		const [few, many] = [once, often].map(
			(rows) => makeReport(inputOf(rows, planned)).lift,
		);
		expect(many!.low).toBeCloseTo(few!.low!, 12);
		expect(many!.high).toBeCloseTo(few!.high!, 12);
	});

	test("compares each epoch with its own control: pooled, a change of the control share would look like a lift", () => {
		// Everyone earns 0.2 in the first epoch and 0.8 in the second, whatever they are given.
		const epoch = (
			number: number,
			policy: number,
			control: number,
			rate: number,
		) => [
			...unitsOf("policy", policy, rate * policy, { epoch: number }),
			...unitsOf("control", control, rate * control, {
				epoch: number,
			}).map((row) => ({ ...row, unit: `${row.unit}/${number}` })),
		];
		const rows = [...epoch(1, 900, 100, 0.2), ...epoch(2, 100, 900, 0.8)];
		const input = inputOf(rows, planned, {
			controlOf: new Map([
				[1, 0.1],
				[2, 0.9],
			]),
		});
		const report = makeReport(input);
		expect(report.lift.estimate).toBeCloseTo(0, 12);
		const { policy, control } = report;
		expect(policy.mean! - control.mean!).toBeLessThan(-0.4);
	});

	test("leaves out what is still open; shares by arm do not", () => {
		const rows = groups(150, 90, 60);
		const open = [
			{
				group: "policy" as const,
				arm: "calm",
				decisions: 50,
				learned: 10,
				rewardSum: 10,
			},
		];
		const [closed, both] = [[], open].map((open) =>
			makeReport(inputOf(rows, planned, { open })),
		);
		expect(both!.lift).toEqual(closed!.lift);
		expect(both!.policy.decisions).toBe(200);
		expect(both!.arms.find(({ arm }) => arm === "calm")).toMatchObject({
			decisions: 50,
			share: 0.25,
			n: 10,
			mean: 1,
		});
	});

	test("relative to a control near zero is withheld", () => {
		const both = definitionOf({
			...PLANNED,
			reward: {
				window: "30m",
				range: [-1, 1],
				outcomes: [
					{ type: "play", value: 1 },
					{ type: "skip", value: -1 },
				],
			},
		});
		const rows = groups(200, 140, 105).map((row) => ({
			...row,
			reward: row.reward === 1 ? 1 : -1,
		}));
		const report = makeReport(inputOf(rows, both));
		expect(report.lift.withheld).toBeNull();
		expect(report.relativeLift.withheld).toMatch(/standard errors of zero/);
	});

	test("of a rare event waits until it no longer rests on a few of them", () => {
		const few = makeReport(inputOf(groups(500, 12, 8), planned));
		expect(few.lift.withheld).toMatch(/rests on a few events/);
		const many = makeReport(inputOf(groups(2_000, 48, 32), planned));
		expect(many.lift.withheld).toBeNull();
	});

	test("in each unit's first week leaves later decisions out", () => {
		const later = unitsOf("policy", 150, 150, { inWeek1: false });
		const rows = [...groups(150, 60, 60), ...later];
		const report = makeReport(inputOf(rows, planned));
		expect(report.cohortLift.estimate).toBeCloseTo(0, 12);
		expect(report.lift.estimate).toBeCloseTo(0.3, 12);
	});

	test("adjusted by a covariate is narrower by what that foretold, and moved by how unequally it fell", () => {
		const definition = definitionOf({
			...PLANNED,
			context: {
				features: [{ name: "loyalty", from: "profile", kind: "number" }],
			},
			covariate: "loyalty",
		});
		const rows = groups(400, 240, 160);
		const input = inputOf(rows, definition);
		const place = input.booked.metrics.findIndex(
			({ name }) => name === "reward",
		);
		// Of those who earned 1, nine in ten are loyal; of the others one in ten. A tenth has no value.
		const covariateOf = (one: number, none: number) => {
			const loyal = 0.9 * one + 0.1 * none;
			const products = { n: one + none, c: one, xn: loyal, xc: 0.9 * one };
			return {
				units: one + none,
				x: loyal,
				xx: loyal,
				metrics: input.booked.metrics.map((_, i) =>
					i === place ? products : { n: 0, c: 0, xn: 0, xc: 0 },
				),
			};
		};
		const epochs = input.booked.epochs.map((epoch) => ({
			...epoch,
			slices: epoch.slices.map((slice) => ({
				...slice,
				covariate:
					slice.group === "policy"
						? covariateOf(216, 144)
						: covariateOf(144, 216),
			})),
		}));
		const { lift, adjustedLift } = makeReport({
			...input,
			booked: { ...input.booked, epochs },
		});
		const width = (of: typeof lift) => of.high! - of.low!;
		expect(width(adjustedLift)).toBeLessThan(0.8 * width(lift));
		expect(adjustedLift.estimate).toBeGreaterThan(0);
		expect(adjustedLift.estimate).toBeLessThan(lift.estimate!);
		expect(makeReport(inputOf(rows, planned)).adjustedLift.withheld).toBe(
			"no covariate was declared",
		);
	});

	test("without a declared plan is scaled by the first look, and the notes say so", () => {
		const report = makeReport(inputOf(groups(150, 90, 60), definitionOf()));
		expect(report.plan).toBeNull();
		expect(report.lift.withheld).toBeNull();
		expect(report.notes.join(" ")).toMatch(/No plan was declared/);
	});

	test("keeps the smallest p of all looks, and their sequence", () => {
		const input = inputOf(groups(1000, 500, 500), planned);
		const earlier = bookedOf(groups(300, 220, 120), planned);
		const looks = earlier.epochs[0]!.slices.filter(
			({ slice }) => slice === ALL,
		).map(({ group, units, moments }) => ({
			at: HOUR,
			epoch: 1,
			group,
			units,
			firstIn: units,
			moments,
		}));
		const report = makeReport({ ...input, booked: { ...input.booked, looks } });
		expect(report.lift.low).toBeLessThan(0);
		expect(report.metrics[0]!.pValue).toBeLessThan(1e-6);
		expect(report.timeline.looks).toHaveLength(1);
		expect(report.timeline.looks[0]!.estimate).toBeCloseTo(1 / 3, 12);
	});
});

test("metrics stand in the order of their roles; what was not declared is exploratory", () => {
	const report = makeReport(inputOf(groups(150, 90, 60), planned));
	const roles = report.metrics.map(({ metric, role }) => [metric, role]);
	expect(roles.slice(0, 3)).toEqual([
		["reward", "primary"],
		["click_rate", "secondary"],
		["impression_rate", "exploratory"],
	]);
	expect(new Set(roles.slice(2).map(([, role]) => role))).toEqual(
		new Set(["exploratory"]),
	);
});

test("what is added to the plan after the start is exploratory", () => {
	const added = definitionOf({
		...PLANNED,
		metrics: {
			...PLANNED.metrics,
			secondary: ["click_rate", "save_rate"],
		},
	});
	const report = makeReport({
		...inputOf(groups(150, 90, 60), added),
		atStart: planned.experiment,
	});
	const role = (name: string) =>
		report.metrics.find(({ metric }) => metric === name)?.role;
	expect([role("click_rate"), role("save_rate")]).toEqual([
		"secondary",
		"exploratory",
	]);
});

test("segments are compared level by level, at α over their number", () => {
	const definition = definitionOf({
		...PLANNED,
		context: {
			features: [
				{
					name: "device",
					from: "request",
					kind: "category",
					levels: ["phone", "desktop"],
				},
			],
		},
		segments: ["device"],
	});
	const rows: Row[] = [
		...groups(400, 300, 100).map((row) => ({
			...row,
			segment: ["device", "phone"] as const,
		})),
		...groups(50, 25, 25).map((row) => ({
			...row,
			unit: `d-${row.unit}`,
			segment: ["device", "desktop"] as const,
		})),
	];
	const { segments, lift } = makeReport(inputOf(rows, definition));
	expect(segments).toMatchObject([
		{ level: "phone", lift: { confidence: 0.975 } },
		{ level: "desktop", lift: { estimate: null } },
	]);
	expect(segments[0]!.lift.estimate).toBeCloseTo(0.5, 12);
	expect(lift.confidence).toBe(0.95);
});

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
			{ arm: "energy", mean: null, units: 20 },
			{ arm: "calm", mean: 0.5, units: 60, withheld: null },
		]);
		expect(of("return_7d")?.[2]?.withheld).toMatch(/sticky: unit/);
		expect(of("return_7d", { sticky: "unit" })?.[2]?.withheld).toMatch(
			/not enough listeners/,
		);
		expect(
			of("reward", {
				traffic: { share: 1, control: 0.5, baseline: "focus" },
			})?.[2]?.withheld,
		).toMatch(/always given focus/);
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

describe("checks", () => {
	const check = (name: string, ...input: Parameters<typeof inputOf>) =>
		makeReport(inputOf(...input)).checks.find((one) => one.check === name);

	test("the same units in both groups", () => {
		const input = inputOf(groups(500, 250, 250), planned);
		const epochs = input.booked.epochs.map((epoch) => ({
			...epoch,
			inBoth: 20,
		}));
		const { checks } = makeReport({
			...input,
			booked: { ...input.booked, epochs },
		});
		expect(
			checks.find(({ check }) => check === "units in both groups"),
		).toMatchObject({ status: "failed" });
	});

	test("packs that never came", () => {
		expect(
			check("lost rows", groups(150, 90, 60), planned, { lostPacks: 2 }),
		).toMatchObject({ status: "failed" });
		expect(check("lost rows", groups(150, 90, 60), planned)).toMatchObject({
			status: "not enough evidence",
		});
	});

	test("rows that are lost by the arm they drew", () => {
		const input = inputOf(groups(150, 90, 60), planned);
		const drawn = (quiet: number) =>
			makeReport({
				...input,
				booked: {
					...input.booked,
					draws: [
						["focus", 5_000],
						["calm", quiet],
					].map(([arm, drawn]) => ({
						epoch: 1,
						group: "policy" as const,
						arm: arm as string,
						eligible: 10_000,
						drawn: drawn as number,
						expected: 5_000,
						variance: 2_500,
					})),
				},
			}).checks.find(({ check }) => check === "lost rows");
		expect(drawn(4_980)?.status).toBe("passed");
		expect(drawn(4_500)).toMatchObject({ status: "failed" });
		expect(drawn(4_500)?.sentence).toMatch(/^calm was drawn 500 times less/);
	});

	test("showing that depends on the arm, among control's decisions", () => {
		const shown = (arm: string, of: number): Row[] =>
			Array.from({ length: 1000 }, (_, i) => ({
				group: "control" as const,
				arm,
				unit: `${arm}-${i}`,
				...(i < of ? { reward: 0 } : {}),
			}));
		expect(
			check("showing", [...shown("focus", 900), ...shown("calm", 890)], planned)
				?.status,
		).toBe("passed");
		expect(
			check("showing", [...shown("focus", 900), ...shown("calm", 600)], planned)
				?.status,
		).toBe("failed");
	});

	test("a difference where policy and control do the same", () => {
		const same = definitionOf({ ...PLANNED, policy: { kind: "uniform" } });
		expect(check("A/A", groups(1000, 500, 500), same)?.status).toBe("passed");
		expect(check("A/A", groups(1000, 700, 500), same)?.status).toBe("failed");
		expect(check("A/A", groups(1000, 700, 500), planned)).toBeUndefined();
	});
});

test("runs of one analysis count together, each with its own control", () => {
	const first = bookedOf(groups(200, 40, 40), planned);
	const second = {
		...bookedOf(groups(200, 160, 140), planned),
		run: 2,
	};
	const booked = overRuns([first, second], first.metrics);
	const report = makeReport({
		...inputOf([], planned),
		booked,
		controlOf: new Map([
			[stratumOf(1, 1), 0.5],
			[stratumOf(2, 1), 0.5],
		]),
	});
	expect(report.policy.units).toBe(400);
	expect(report.lift.estimate).toBeCloseTo(0.05, 12);
	const resumed = definitionOf(PLANNED, { run: 2 });
	const { notes } = makeReport({ ...inputOf([], resumed), booked });
	expect(notes.join(" ")).not.toMatch(/run 2 are counted/);
	expect(notes.join(" ")).toMatch(/since its last start.*run 2 the latest/);
});

test("a group's mean over epochs is no surer than its units: the same listeners again say nothing new of who they are", () => {
	const rows = (epoch: number) =>
		groups(400, 200, 160).map((row) => ({ ...row, epoch }));
	const [once, often] = [[1], [1, 2, 3, 4]].map((epochs) =>
		makeReport(inputOf(epochs.flatMap(rows), planned)),
	) as [Report, Report];
	expect(often.policy.standardError).toBeCloseTo(
		once.policy.standardError as number,
		12,
	);
	expect(often.metrics[0]?.control.standardError).toBeCloseTo(
		once.metrics[0]?.control.standardError as number,
		12,
	);
});

test("an experiment of which nothing is logged has a whole report", () => {
	const report = makeReport(
		inputOf([], definitionOf({}, { state: "draft", run: 0 }), {
			firstDecidedAt: null,
			lastDecidedAt: null,
		}),
	);
	expect(report.answer).toMatchObject({
		verdict: "cannot tell",
		advice: "Start the experiment.",
	});
	expect(report.uniformExpectedWithheld).not.toBeNull();
	expect(report.health.exploration).toBeNull();
	expect(JSON.stringify(report)).not.toMatch(/NaN|Infinity/);
	expect(report.footnotes.map(({ id }) => id)).toEqual(
		expect.arrayContaining([report.lift.footnote]),
	);
});
