import { expect, test } from "vitest";
import { makeReport, reportCsv } from "../src/index.js";
import { definitionOf, inputOf, type Row, unitsOf } from "./builders.js";
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

test("who came back is told by group, and by arm where a decision stands for its unit from first to last, else why not", () => {
	const rows = [
		...unitsOf("control", 60, 30, { arm: "calm" }),
		...unitsOf("control", 60, 30, { arm: "energy" }),
		...unitsOf("policy", 150, 75, { arm: "calm" }),
	];
	const counted = inputOf(rows);
	const place = counted.booked.metrics.findIndex(
		({ name }) => name === "return_7d",
	);
	// Of a slice's units some have had their days, and some of these came back.
	const of = (units: number, c: number) => ({
		units,
		n: units,
		c,
		nn: units,
		nc: c,
		cc: c,
	});
	const closed: { [slice: string]: ReturnType<typeof of> } = {
		"policy all": of(120, 30),
		"control all": of(100, 10),
		"control arm:calm": of(60, 9),
		"control arm:energy": of(40, 1),
	};
	const { booked } = counted;
	const moments = booked.epochs.map((epoch) => ({
		...epoch,
		slices: epoch.slices.map((slice) => ({
			...slice,
			moments: slice.moments.with(
				place,
				closed[`${slice.group} ${slice.slice}`] ?? of(0, 0),
			),
		})),
	}));
	const reported = (isStickyByUnit: boolean) =>
		makeReport({
			...inputOf([], definitionOf({ ...PLANNED, sticky: "unit" })),
			isStickyByUnit,
			booked: { ...booked, epochs: moments },
		});
	const returns = (report: ReturnType<typeof reported>) => ({
		byGroup: report.metrics.find(({ metric }) => metric === "return_7d"),
		byArm: report.metricsByArm.find(({ metric }) => metric === "return_7d")
			?.arms,
	});
	const byGroup = {
		policy: { units: 120, mean: 0.25 },
		control: { units: 100, mean: 0.1 },
	};
	const sticky = returns(reported(true));
	expect(sticky.byGroup).toMatchObject(byGroup);
	expect(sticky.byArm).toMatchObject(
		[
			{ arm: "focus", mean: null, withheld: /not enough/ },
			{ arm: "energy", units: 40, mean: 0.025, withheld: null },
			{ arm: "calm", units: 60, mean: 0.15, withheld: null },
		].map(({ withheld, ...arm }) => ({
			...arm,
			withheld: withheld && expect.stringMatching(withheld),
		})),
	);
	const other = returns(reported(false));
	expect(other.byGroup).toMatchObject(byGroup);
	expect(other.byArm).toMatchObject(
		new Array(3).fill({
			mean: null,
			withheld: expect.stringMatching(
				/several arms.*with sticky: unit it can$/,
			),
		}),
	);
	const footnote = sticky.byGroup?.footnote;
	const said = reported(true).footnotes.find(({ id }) => id === footnote);
	expect(said?.formula).toMatch(/with sticky: unit by asking again, or by/);
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
