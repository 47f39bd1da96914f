import { expect, test } from "vitest";
import type { BookedCounts } from "#core/booking";
import { parseExperiment } from "#core/experiment";
import { BUILT_IN } from "#core/metrics";
import type { StoredDefinition } from "#usecases/defining";
import {
	MakeReport,
	type ReportedRun,
	type ReportReads,
	viewReport,
} from "../src/index.js";

function experimentOf(control: number) {
	const parsed = parseExperiment({
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

let lastId = 0;
function row(change: Partial<StoredDefinition>): StoredDefinition {
	lastId += 1;
	return {
		id: lastId,
		experiment: experimentOf(0.1),
		version: 2,
		state: "running",
		run: 1,
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
		{ find: async (key) => (key === "morning" ? history.at(-1)! : null) },
		{ page: async () => history.toReversed() },
		reads,
		{ counts: async () => null },
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
		row({ action: "start", run: 2, analysis: 1 }),
		row({ action: "stop", state: "stopped", run: 2, analysis: 1 }),
		row({ action: "start", run: 3, analysis: 2 }),
		row({ action: "pause", state: "paused", run: 3, analysis: 2 }),
		row({ action: "start", run: 4, analysis: 2 }),
	]);
	expect(asked.map(({ run }) => run)).toEqual([3, 4]);
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

test("an experiment that nobody defined has no report", async () => {
	const reports = new MakeReport(
		{ find: async () => null },
		{ page: async () => [] },
		{} as ReportReads,
		{ counts: async () => null },
	);
	await expect(reports.execute("nobody")).rejects.toMatchObject({
		code: "unknown-experiment",
	});
});
