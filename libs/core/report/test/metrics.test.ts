import { expect, test } from "vitest";
import { makeReport, reportCsv } from "../src/index.js";
import { definitionOf, inputOf, type Row } from "./builders.js";
import { groups, PLANNED, planned } from "./planned.js";

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

test("a metric with a declared cap says it, in its own unit, and each says where it is written what it counts", () => {
	const capped = definitionOf({
		...PLANNED,
		metrics: {
			...PLANNED.metrics,
			define: [
				{ name: "shares", event: "share", count: "each", per: "unit", cap: 3 },
				{ name: "skips", event: "skip", count: "each", per: "decision" },
				{ name: "dislikes", event: "dislike" },
				{ name: "finished", event: "complete", per: "play" },
			],
		},
	});
	const report = makeReport(inputOf(groups(150, 90, 60), capped));
	const of = (name: string) => {
		const found = report.metrics.find(({ metric }) => metric === name);
		return [found?.cap, found?.footnote];
	};
	expect(of("shares")).toEqual([3, "per-listener"]);
	expect(of("skips")).toEqual([null, "per-learned-decision"]);
	expect(of("dislikes")).toEqual([null, "per-impression"]);
	expect(of("finished")).toEqual([null, "per-event"]);
	expect(of("impression_rate")).toEqual([null, "per-decision"]);
	expect(of("return_7d")).toEqual([null, "returns"]);
	expect(of("session_length")).toEqual([null, "per-session"]);
	expect(of("revenue")).toEqual([null, "per-listener"]);
	expect(reportCsv(report)).toContain("each listener counts at most 3");
	const said = (id: string) =>
		report.footnotes.find((footnote) => footnote.id === id)?.assumptions;
	expect(said("per-listener")).toMatch(/Only events that name a decision/);
	expect(said("per-learned-decision")).toMatch(/never shown teaches nothing/);
});

test("where a unit's decision stands for 90 days nobody is said to have stayed away: coming back is counted by no decision, and it is said by what it could be", () => {
	const primary = { ...PLANNED.metrics.primary, metric: "return_7d" };
	const counted = inputOf(groups(150, 90, 60));
	const place = counted.booked.metrics.findIndex(
		({ name }) => name === "return_7d",
	);
	// What booking has of units that are given the same decision again: all are there, and nobody returned.
	const nobody = { units: 100, n: 100, c: 0, nn: 100, nc: 0, cc: 0 };
	const reported = (sticky: "unit" | "session") => {
		const definition = definitionOf({
			...PLANNED,
			sticky,
			metrics: { ...PLANNED.metrics, primary },
		});
		return makeReport({
			...inputOf([], definition),
			booked: {
				...counted.booked,
				epochs: counted.booked.epochs.map((epoch) => ({
					...epoch,
					slices: epoch.slices.map((slice) => ({
						...slice,
						moments: slice.moments.with(place, nobody),
					})),
				})),
			},
		});
	};
	const { metrics, metricsByArm, lift, cohortLift, answer } = reported("unit");
	const why = expect.stringMatching(
		/^with sticky: unit a listener who comes back .* send an event of your own/,
	);
	expect(metrics[0]).toMatchObject({
		metric: "return_7d",
		policy: { units: 0, mean: null },
		control: { units: 0, mean: null },
		lift: { estimate: null, withheld: why },
		relativeLift: { estimate: null, withheld: why },
		pValue: null,
	});
	expect(lift).toEqual(metrics[0]!.lift);
	expect(cohortLift.estimate).toBeNull();
	expect(answer.sentence).toContain("send an event of your own");
	expect(metricsByArm[0]?.arms).toMatchObject(
		new Array(3).fill({ mean: null, withheld: why }),
	);
	expect(reported("session").metrics[0]).toMatchObject({
		metric: "return_7d",
		policy: { units: 100, mean: 0 },
	});
});

test("of closed cohorts it is said who counts: nobody whose days the experiment did not see to their end", () => {
	const { metrics, cohortLift } = makeReport(
		inputOf(
			groups(50, 30, 20).map((row) => ({ ...row, inWeek1: false })),
			planned,
		),
	);
	const counts =
		/not enough listeners yet: 0 in the policy group.*a listener counts once the days are over, and only if the experiment still ran then$/;
	expect(cohortLift.withheld).toMatch(counts);
	const of = (name: string) =>
		metrics.find(({ metric }) => metric === name)?.lift.withheld;
	expect(of("return_28d")).toMatch(counts);
	expect(of("click_rate")).not.toMatch(/days/);
});
