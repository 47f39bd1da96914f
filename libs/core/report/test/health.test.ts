import { describe, expect, test } from "vitest";
import { emptyScores, type ScoreSums } from "#core/statistics";
import {
	type HealthSentence,
	makeReport,
	type Report,
	type ReportInput,
} from "../src/index.js";
import { definitionOf, inputOf, unitsOf } from "./builders.js";

const FEATURE = {
	context: { features: [{ name: "device", from: "request", kind: "boolean" }] },
};
const rows = [
	...unitsOf("policy", 150, 90),
	...unitsOf("policy", 30, 10, { arm: "energy" }),
	...unitsOf("policy", 20, 10, { arm: "calm" }),
	...unitsOf("control", 50, 25),
];
const input = inputOf(rows, definitionOf(FEATURE));

/** Of the active arms, so many draws of equal weight. */
const drawn = (draws: { readonly [arm: string]: number }) =>
	new Map(
		Object.entries(draws).map(([arm, w]): [string, ScoreSums] => [
			arm,
			{ ...emptyScores(), rows: 2 * w, draws: w, h: w, w, ww: w },
		]),
	);
const withBooked = (
	booked: Partial<ReportInput["booked"]>,
	more: Partial<ReportInput> = {},
): Report =>
	makeReport({
		...input,
		...more,
		booked: { ...input.booked, ...booked },
	});
const said = ({ health }: Report, name: HealthSentence["of"]) =>
	health.sentences.find(({ of }) => of === name)?.sentence;

describe("health", () => {
	test("tells how much exploration is left: the arm that the policy shows least", () => {
		const report = withBooked({});
		expect(report.health.exploration).toBe(0.1);
		expect(said(report, "exploration")).toBe(
			"Every active arm is still tried: calm, the rarest, in 10 % of the policy's decisions of the last day.",
		);
	});

	test("is of the last day: what was tried at the beginning is no exploration that is left", () => {
		const later = [
			...rows,
			...unitsOf("policy", 40, 20, { hour: 30 }),
			...unitsOf("policy", 8, 4, { hour: 40, arm: "energy" }),
			...unitsOf("policy", 2, 1, { hour: 53, arm: "calm" }),
		];
		expect(makeReport(inputOf(later)).health.exploration).toBe(0.04);
		const dayAfter = unitsOf("policy", 40, 20, { hour: 54 });
		const { health } = makeReport(inputOf([...later, ...dayAfter]));
		expect(health.exploration).toBeCloseTo(2 / 50, 12);
	});

	test("says what to do for an arm that is shown no more, unless it is paused", () => {
		const shown = rows.filter(({ arm }) => arm !== "calm");
		const report = makeReport(inputOf(shown));
		expect(report.health.exploration).toBe(0);
		expect(said(report, "exploration")).toMatch(
			/^In the last day the policy gave calm to nobody.*raise policy\.explore, or pause the arm/,
		);
		const paused = definitionOf({
			arms: [
				{ key: "focus" },
				{ key: "energy" },
				{ key: "calm", state: "paused" },
			],
		});
		expect(makeReport(inputOf(shown, paused)).health.exploration).toBeCloseTo(
			30 / 180,
			12,
		);
	});

	test("tells the effective sample size of the arm that has least, and from when on a value is shown", () => {
		const report = withBooked({
			scores: drawn({ focus: 900, energy: 200, calm: 12 }),
		});
		expect(report.health.effectiveSampleSize).toBe(12);
		expect(said(report, "effective sample size")).toBe(
			"calm rests on 12 effective draws, the fewest of the active arms: from 50 on an arm's value is shown.",
		);
		const enough = withBooked({
			scores: drawn({ focus: 2_000, energy: 1_500, calm: 1_200 }),
		});
		expect(said(enough, "effective sample size")).toMatch(
			/^Every active arm rests on at least 1,200 effective draws/,
		);
		expect(withBooked({}).health.effectiveSampleSize).toBeNull();
	});

	test("tells which features were missing, that none was, and that nobody has looked yet", () => {
		const told = (missing: Report["health"]["missing"]) =>
			said(withBooked({}, { missing }), "missing features");
		expect(told({ device: 0.125 })).toMatch(/were without: device 13 %\.$/);
		expect(told({})).toMatch(/^Every feature had its value/);
		expect(told(null)).toMatch(/cannot be told yet/);
		expect(said(makeReport(inputOf(rows)), "missing features")).toBe(
			"No feature is declared.",
		);
	});

	test("tells the share of decisions of policy and control that were served degraded, by what was", () => {
		const [hour] = input.booked.hours;
		const report = withBooked({
			hours: [
				...input.booked.hours,
				{ ...hour!, group: "outside", decisions: 750 },
			],
			degraded: { decisions: 5, parts: { profile: 4, posterior: 2 } },
		});
		expect(report.health.degraded).toEqual({
			share: 5 / 250,
			parts: { profile: 4 / 250, posterior: 2 / 250 },
		});
		expect(said(report, "degraded")).toMatch(
			/^2 % of the decisions were served degraded \(profile 1\.6 %, posterior 0\.8 %\)/,
		);
		expect(said(withBooked({}), "degraded")).toBe(
			"No decision was served degraded.",
		);
		expect(makeReport(inputOf([])).health.degraded.share).toBeNull();
	});

	test("tells how many events came too late, and what helps", () => {
		const report = withBooked({}, { lateEvents: 1_200 });
		expect(report.health.lateEvents).toBe(1_200);
		expect(said(report, "late events")).toMatch(
			/^1,200 events came after the window of their decision.*make reward\.window longer/,
		);
		expect(said(withBooked({}), "late events")).toBe(
			"No event came too late to count.",
		);
	});
});
