import { describe, expect, test } from "vitest";
import { ALL } from "#core/booking";
import { makeReport } from "../src/index.js";
import { bookedOf, definitionOf, HOUR, inputOf, unitsOf } from "./builders.js";
import { groups, PLANNED, planned } from "./planned.js";

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
		});
	});

	test("says whether shares by arm count what is still open", () => {
		const [counted, tooMany] = [[], null].map((open) => {
			const input = inputOf(groups(150, 90, 60), planned, { open });
			const { booked } = input;
			const freshness = { ...booked.freshness, waiting: 63_000 };
			return makeReport({ ...input, booked: { ...booked, freshness } }).notes;
		});
		expect(counted?.[0]).toMatch(/by arm count all there are/);
		expect(tooMany?.[0]).toMatch(/63,000 decisions wait for theirs/);
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
		expect(few.lift.withheld).toMatch(
			/about \d+ more listeners of control, at the pace so far$/,
		);
		// The means are told, without an interval that would be as wrong.
		expect(few.control).toMatchObject({ mean: 0.016, low: null });
		expect(few.control.withheld).toMatch(/the mean of control, 0\.016, rests/);
		expect(few.bestSingleArm.withheld).toMatch(/rests on a few events/);
		const many = makeReport(inputOf(groups(2_000, 48, 32), planned));
		expect(many.lift.withheld).toBeNull();
		expect(many.control.withheld).toBeNull();
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

	test("without a declared plan has no interval before the first full hour, whose spread scales it from then on, whatever comes", () => {
		const looksOf = (units: number, earlier: ReturnType<typeof bookedOf>) =>
			(earlier.epochs[0]?.slices ?? [])
				.filter(({ slice }) => slice === ALL)
				.map(({ group, moments }) => ({
					at: HOUR + units,
					epoch: 1,
					group,
					units,
					firstIn: units,
					moments,
				}));
		const reportOf = (
			units: number,
			earlier: readonly ReturnType<typeof looksOf>[],
		) => {
			const input = inputOf(
				groups(units, 0.6 * units, 0.4 * units),
				definitionOf({ traffic: PLANNED.traffic }),
			);
			return makeReport({
				...input,
				booked: { ...input.booked, looks: earlier.flat() },
			});
		};
		const unscaled =
			/^no plan was declared for it.*first full hour of decisions, once that is booked$/;
		const early = reportOf(150, []);
		expect(early.plan).toBeNull();
		expect(early.lift).toMatchObject({
			estimate: expect.closeTo(0.2, 12),
			low: null,
			high: null,
			withheld: expect.stringMatching(unscaled),
		});
		expect(early.relativeLift).toMatchObject({ estimate: null, low: null });
		expect(early.metrics[0]).toMatchObject({ metric: "reward", pValue: null });
		expect(early.notes.join(" ")).toMatch(/No plan was declared/);
		// A first look of too few says nothing yet.
		const few = looksOf(90, bookedOf(groups(90, 50, 40)));
		expect(reportOf(150, [few]).lift.withheld).toMatch(unscaled);
		// Of the first that serves, by hand: p(1 − p)/149 a group, at 10,000 units of which half are control.
		const first = looksOf(150, bookedOf(groups(150, 90, 60)));
		const spread = Math.sqrt((150 * 0.24) / 149);
		const tau = 2.82 * spread * Math.sqrt(1 / 5000 + 1 / 5000);
		for (const later of [[], [looksOf(200, bookedOf(groups(200, 180, 20)))]]) {
			const { lift } = reportOf(1000, [few, first, ...later]);
			const variance = (2 * 0.24) / 999;
			const m = (tau * tau) / variance;
			expect(lift.high! - lift.estimate!).toBeCloseTo(
				Math.sqrt(variance * (1 + 1 / m) * (Math.log1p(m) + 2 * Math.log(20))),
				12,
			);
		}
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
