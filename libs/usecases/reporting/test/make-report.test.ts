import { expect, test } from "vitest";
import { parseExperiment } from "#core/experiment";
import type { ReportCounts } from "#core/report";
import { MakeReport, type ReportReads, viewReport } from "../src/index.js";

const parsed = parseExperiment({
	key: "morning",
	arms: [{ key: "focus" }],
	context: { features: [] },
	policy: { kind: "uniform" },
	reward: {
		window: "30m",
		range: [-1, 2],
		outcomes: [{ type: "play", value: 1 }],
	},
});
if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
const definition = {
	id: 4,
	experiment: parsed.value,
	version: 2,
	state: "running" as const,
	run: 1,
	analysis: 1,
	epoch: 1,
	winner: null,
	held: false,
	salt: "ab".repeat(32),
	bucketMs: 86_400_000,
};
const counts: ReportCounts = {
	revision: 3,
	firstDecidedAt: 0,
	lastDecidedAt: null,
	arms: [],
	units: [],
	deadLetters: 0,
	waitingEvents: 0,
};

test("a report is of the experiment's current version, and never shows its salt", async () => {
	const asked: unknown[] = [];
	const reads: ReportReads = {
		counts: async (...of) => {
			asked.push(of);
			return counts;
		},
	};
	const report = await new MakeReport(
		{ find: async (key) => (key === "morning" ? definition : null) },
		reads,
	).execute("morning");
	expect(asked).toEqual([["morning", 2]]);
	expect(viewReport(report)).toMatchObject({
		version: 2,
		freshness: {
			revision: 3,
			firstDecisionAt: "1970-01-01T00:00:00.000Z",
			lastDecisionAt: null,
		},
	});
	expect(JSON.stringify(report)).not.toContain(definition.salt);
});

test("an experiment that is not there has no report", async () => {
	const none = new MakeReport(
		{ find: async () => null },
		{ counts: async () => counts },
	);
	await expect(none.execute("evening")).rejects.toMatchObject({
		code: "unknown-experiment",
	});
});
