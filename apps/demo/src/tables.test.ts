import { expect, test } from "vitest";
import { demoResult, type ExperimentResult } from "./result.js";
import { experimentTable } from "./tables.js";

const interval = { low: 0.1234, high: 0.5678 };
const played: ExperimentResult = {
	key: "moods",
	name: "Which mood opens the morning?",
	truth: {
		bestArm: "calm",
		bestConstant: 0.71,
		uniform: 0.72,
		everythingKnown: 0.73,
		from: "the recipe",
	},
	replayed: {
		experiment: "moods",
		decisions: 900,
		events: 500,
		seconds: 3,
		cutShort: false,
		latencies: [1],
		learnedWithin: [2],
		degraded: [],
	},
	report: {
		answer: { verdict: "keep going", sentence: "It may be chance." },
		freshness: { waiting: 0 },
		policy: { decisions: 811, mean: 0.4411, ...interval },
		control: { decisions: 89, mean: 0.2211, ...interval },
		lift: { estimate: 0.2233, ...interval },
		bestSingleArm: { arm: "energy", mean: 0.3311, n: 31, ...interval },
		uniformExpected: 0.2244,
		arms: [{ arm: "calm", decisions: 600, share: 0.74 }],
		armValues: [{ arm: "calm", value: { estimate: 0.3377, ...interval } }],
		deadLetters: 0,
		waitingEvents: 0,
	},
};

test("what the demo tells of an experiment are its report's numbers", () => {
	const table = experimentTable(played);
	for (const said of [
		"Keep going: It may be chance.",
		"0.4411",
		"811 decisions",
		"0.2211",
		"89 decisions",
		"+0.2233",
		"best single arm: energy",
		"0.3311",
		"0.2244",
		"74.0 %",
		"0.3377",
		"0.123",
		"0.568",
	])
		expect(table).toContain(said);
	const { report } = played;
	expect(
		demoResult(
			[played],
			{ equal: true, decisions: 900, outcomes: 500 },
			"jetstream",
			9,
		).experiments[0],
	).toMatchObject({
		policyMean: report.policy.mean,
		controlMean: report.control.mean,
		uniformExpected: report.uniformExpected,
		bestSingleArm: report.bestSingleArm.mean,
		lift: report.lift.estimate,
		liftInterval: [interval.low, interval.high],
	});
});
