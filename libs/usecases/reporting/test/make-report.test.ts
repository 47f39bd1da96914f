import { expect, test } from "vitest";
import type { BookedCounts } from "#core/booking";
import { parseExperiment } from "#core/experiment";
import { BUILT_IN } from "#core/metrics";
import type { StoredDefinition } from "#usecases/defining";
import type { GuardrailsOfExperiment } from "#usecases/guarding";
import {
	MakeReport,
	type ReportedRun,
	type ReportReads,
	viewReport,
} from "../src/index.js";
import { MemoryAnalyses } from "./memory-analyses.js";

function experimentOf(control: number, more: object = {}) {
	const parsed = parseExperiment({
		...more,
		key: "morning",
		arms: [{ key: "focus" }, { key: "calm" }],
		policy: { kind: "linucb" },
		reward: {
			window: "30m",
			range: [-1, 2],
			outcomes: [{ type: "play", value: 1 }],
		},
		traffic: { control },
	});
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	return parsed.value;
}

/** Two guardrails, of which one has acted. */
const guards: GuardrailsOfExperiment = {
	experiment: "morning",
	state: "paused",
	held: false,
	since: 0,
	run: 1,
	guardrails: [
		{
			index: 0,
			guardrail: { metric: "skip_rate", max: 0.35, action: "pause" },
			status: "tripped",
			decisions: 900,
			units: 300,
			value: 0.5,
			limit: 0.35,
			beyondAtLeast: 0.08,
			sentence: "skip_rate is 0.5",
			trip: { at: 1, sentence: "skip_rate was 0.6, and 0.35 is allowed" },
		},
		{
			index: 1,
			guardrail: {
				metric: "save_rate",
				versus: "control",
				margin: 0.01,
				action: "alert",
			},
			status: "waiting",
			decisions: 9,
			units: 9,
			value: null,
			limit: null,
			beyondAtLeast: null,
			sentence: "9 of 100 decisions",
			trip: null,
		},
	],
};

let lastId = 0;
function row(change: Partial<StoredDefinition>): StoredDefinition {
	lastId += 1;
	return {
		id: lastId,
		experiment: experimentOf(0.1),
		version: 2,
		state: "running",
		run: 1,
		bookedRun: 1,
		analysis: 1,
		epoch: 1,
		winner: null,
		held: false,
		salt: "ab".repeat(32),
		bucketMs: 86_400_000,
		createdAt: 1_000 * lastId,
		action: "edit",
		actor: "ana",
		why: "",
		...change,
	};
}

/** What the reads were asked for, and the report of a history whose last row is the current definition. */
async function reportOf(history: readonly StoredDefinition[]) {
	const asked: ReportedRun[] = [];
	const nothing = (run: ReportedRun): BookedCounts => ({
		...run,
		freshness: {
			bookedUpTo: 5_000,
			cursor: null,
			isPending: false,
			revision: 3,
			newestRevision: 3,
			decisions: 0,
			waiting: 0,
			unbooked: 0,
			bookedAt: 6_000,
		},
		metrics: BUILT_IN,
		epochs: [],
		hours: [],
		draws: [],
		degraded: { decisions: 0, parts: {} },
		scores: new Map(),
		looks: [],
	});
	const reads: ReportReads = {
		booked: async (runs) => {
			asked.push(...runs);
			return runs.map(nothing);
		},
		open: async () => ({ arms: [], firstAt: 0, lastAt: null }),
		installation: async () => ({
			deadLetters: 0,
			waitingEvents: 0,
			lateEvents: 0,
			lostPacks: 0,
		}),
	};
	const report = await new MakeReport(
		new MemoryAnalyses(history),
		{
			page: async (_, __, most) => history.toReversed().slice(0, most),
		},
		reads,
		{ counts: async () => null },
		{ execute: async () => guards },
	).execute("morning");
	return { report, asked };
}

test("a report is of the current version, and never shows its salt", async () => {
	const { report, asked } = await reportOf([row({ action: "start" })]);
	expect(asked).toEqual([{ experiment: "morning", version: 2, run: 1 }]);
	expect(viewReport(report)).toMatchObject({
		version: 2,
		freshness: {
			revision: 3,
			firstDecisionAt: "1970-01-01T00:00:00.000Z",
			lastDecisionAt: null,
			closedUntil: "1970-01-01T00:00:05.000Z",
		},
	});
	expect(JSON.stringify(report)).not.toContain("abab");
});

test("a run that was paused and started again goes on; what was stopped before, and other versions, are left out", async () => {
	const { asked } = await reportOf([
		row({ version: 1, action: "start", run: 1 }),
		row({ action: "start", run: 2, bookedRun: 2, analysis: 1 }),
		row({ action: "stop", state: "stopped", run: 2, bookedRun: 2 }),
		row({ action: "start", run: 3, bookedRun: 3, analysis: 2 }),
		row({ state: "paused", run: 3, bookedRun: 3, analysis: 2 }),
		row({ action: "start", run: 4, bookedRun: 3, analysis: 2 }),
	]);
	expect(asked.map(({ run }) => run)).toEqual([3]);
});

test("runs that were booked apart, before a pause stopped beginning anew, are still read together", async () => {
	const { asked } = await reportOf([
		row({ action: "start", run: 3, bookedRun: 3, analysis: 2 }),
		row({ action: "start", run: 4, bookedRun: 4, analysis: 2 }),
		row({ action: "start", run: 5, bookedRun: 4, analysis: 2 }),
	]);
	expect(asked.map(({ run }) => run)).toEqual([3, 4]);
});

test("what was stopped is judged by what it was started for, whatever an edit since then defines", async () => {
	const judged = experimentOf(0.1, {
		metrics: {
			primary: { metric: "dislikes", smallestEffect: 0.02, plannedUnits: 4000 },
			define: [
				{
					name: "dislikes",
					event: "dislike",
					per: "impression",
					count: "once",
					better: "lower",
				},
			],
		},
	});
	const { report } = await reportOf([
		row({ action: "start", experiment: judged }),
		row({ action: "stop", state: "stopped", experiment: judged }),
		row({ action: "edit", state: "stopped" }),
	]);
	expect(report.plan?.metric).toBe("dislikes");
	expect(report.metrics[0]).toMatchObject({
		metric: "dislikes",
		role: "primary",
		better: "lower",
	});
	expect(report.sentence).toContain("dislikes");
});

test("an edit after the stop, even one that makes a new version, leaves the finished analysis to be read", async () => {
	const { report, asked } = await reportOf([
		row({ action: "start", run: 2, bookedRun: 2 }),
		row({ state: "stopped", run: 2, bookedRun: 2, winner: "calm" }),
		row({
			version: 3,
			state: "stopped",
			run: 2,
			bookedRun: 2,
			winner: "calm",
		}),
	]);
	expect(asked).toEqual([{ experiment: "morning", version: 2, run: 2 }]);
	expect(report).toMatchObject({
		version: 2,
		state: "stopped",
		winner: "calm",
	});
});

test("a lift is adjusted by a covariate only where no policy could move it before: in the first run of the first version that ran", async () => {
	const experiment = experimentOf(0.1, {
		context: {
			features: [{ name: "loyalty", from: "profile", kind: "number" }],
		},
		covariate: "loyalty",
	});
	const told = async (history: readonly Partial<StoredDefinition>[]) =>
		(await reportOf(history.map((of) => row({ ...of, experiment })))).report
			.adjustedLift.withheld;
	const start = { action: "start" } as const;
	expect(
		await told([{ state: "draft", version: 1, run: 0, analysis: 0 }, start]),
	).toMatch(/^not enough listeners/);
	const moved = /^an earlier run or version .* may have moved loyalty/;
	expect(
		await told([
			{ ...start, analysis: 1 },
			{ state: "stopped", analysis: 1 },
			{ ...start, run: 2, bookedRun: 2, analysis: 2 },
		]),
	).toMatch(moved);
	expect(await told([{ ...start, version: 1 }, { version: 2 }])).toMatch(moved);
	const long = Array.from({ length: 900 }, () => start);
	expect(await told(long)).toMatch(/^not enough listeners/);
	expect(await told([{ ...start, version: 1 }, ...long])).toMatch(moved);
});

test("what was done stands on the time axis: who, why, and what changed", async () => {
	const { report } = await reportOf([
		row({ action: "start", why: "the big week" }),
		row({
			action: "edit",
			actor: "bo",
			experiment: experimentOf(0.2),
			epoch: 2,
		}),
	]);
	const [start, edit] = report.timeline.marks;
	expect(start).toMatchObject({ action: "start", sentence: "the big week" });
	expect(edit).toMatchObject({ actor: "bo" });
	expect(edit?.sentence).toMatch(/control.*0\.1.*0\.2/);
});

test("the newest 500 of them have a mark, and the first of these says what changed too", async () => {
	const edits = Array.from({ length: 600 }, (_, i) =>
		row({
			why: `edit ${i}`,
			experiment: experimentOf(i % 2 === 0 ? 0.1 : 0.2),
		}),
	);
	const { report } = await reportOf([row({ action: "start" }), ...edits]);
	const { marks } = report.timeline;
	expect(marks).toHaveLength(500);
	expect(marks[0]?.sentence).toMatch(/^edit 100; .*0\.2.*0\.1/);
});

test("guardrails say their limit in words, and why they acted", async () => {
	const { report } = await reportOf([row({ action: "start" })]);
	expect(report.guardrails).toEqual([
		{
			metric: "skip_rate",
			limit: "at most 0.35",
			action: "pause",
			status: "broken",
			estimate: 0.5,
			bound: 0.08,
			sentence: "skip_rate was 0.6, and 0.35 is allowed",
		},
		{
			metric: "save_rate",
			limit: "no more than 0.01 worse than control",
			action: "alert",
			status: "not enough evidence",
			estimate: null,
			bound: null,
			sentence: "9 of 100 decisions",
		},
	]);
	expect(report.answer.verdict).toBe("stop");
});

test("an experiment that nobody defined has no report", async () => {
	const reports = new MakeReport(
		new MemoryAnalyses([]),
		{ page: async () => [] },
		{} as ReportReads,
		{ counts: async () => null },
		{ execute: async () => guards },
	);
	await expect(reports.execute("nobody")).rejects.toMatchObject({
		code: "unknown-experiment",
	});
});
