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
