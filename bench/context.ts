import { Option } from "commander";
import {
	type DecisionCost,
	measureDecisionCost,
} from "./context/decision-cost.js";
import {
	type EventToDecision,
	measureEventToDecision,
} from "./context/event-to-decision.js";
import {
	measureWindows,
	TYPES,
	WINDOWS_MS,
	type WindowsCost,
} from "./context/windows.js";
import { withUndo } from "./decide/children.js";
import { ARMS } from "./decide/experiment.js";
import {
	type BenchmarkOptions,
	benchmark,
	benchmarkOptions,
	printJson,
	wholeFrom,
} from "./support/command.js";
import { atLeast, atMost, type Goal, printGoals } from "./support/goals.js";
import { medianRow, type RatioRow } from "./support/ratio-row.js";
import { printMachine, threeDigits } from "./support/table.js";

/** What a decider's live windows cost, and how long it takes until a decision knows of an event. */

interface Options extends BenchmarkOptions {
	readonly units: number;
	readonly seconds: number;
	readonly rate: number;
	readonly rounds: number;
	readonly only?: "windows" | "latency" | "decision";
}

interface Bounded extends RatioRow {
	readonly units?: number;
	/** Where events came in. */
	readonly by?: string;
	readonly p50?: number;
	readonly max?: number;
}

/** The row of which more is better. */
const HEAR = "hear";
const MOST_BYTES = 400;
const LEAST_EVENTS = 100_000;
const MOST_MICROSECONDS = 5;
const MOST_MS = 50;
const MOST_TIMES = 1.15;
const SECONDS_A_ROUND = 3;

const options = benchmarkOptions<Options>(
	benchmark(
		"bench:context",
		"Bytes a unit, events a second and microseconds a read of a decider's live windows, milliseconds from an event to a decision that knows of it, and what such features cost a decision, each beside its bound.",
	)
		.option("--units <n>", "active units", wholeFrom(1), 1_000_000)
		.option("--seconds <n>", "seconds of events by each door", wholeFrom(1), 20)
		.option("--rate <n>", "events a second", wholeFrom(250), 2_000)
		.addOption(
			new Option("--only <part>", "one of the parts").choices([
				"windows",
				"latency",
				"decision",
			]),
		)
		.option(
			"--rounds <n>",
			"rounds of decisions with and without features",
			wholeFrom(1),
			5,
		),
);
const say = options.json ? console.error : console.log;

function bounded(
	name: string,
	unit: string,
	ours: number,
	baseline: number,
	more: Partial<Bounded>,
): Bounded {
	const ratio = ours / baseline;
	return { name, ours, baseline, ratio, unit, against: "bound", ...more };
}

function rowsOfWindows(cost: WindowsCost): Bounded[] {
	const { units } = options;
	return [
		bounded("memory", "bytes a unit", cost.bytesAUnit, MOST_BYTES, { units }),
		bounded(HEAR, "events a second", cost.eventsPerSecond, LEAST_EVENTS, {
			units,
		}),
		bounded("read", "µs a read", cost.microsecondsARead, MOST_MICROSECONDS, {
			units,
		}),
	];
}

function rowOfDoor({ door, p99Ms, p50Ms, maxMs }: EventToDecision): Bounded {
	const more = { by: door, p50: p50Ms, max: maxMs };
	return bounded("event to decision", "ms, p99", p99Ms, MOST_MS, more);
}

/**
 * How many times as much a decision costs with the features: of the decider's processor time, and by the requests a second of the median
 * round, where both sides share its luck but the client and the broker have the processor too.
 */
function rowsOfDecision(cost: DecisionCost): Bounded[] {
	const row = (unit: string, ratio: number) =>
		bounded(
			"decision with four live features and a profile's",
			unit,
			ratio,
			MOST_TIMES,
			{ K: ARMS, d: cost.dWith },
		);
	const { ratio } = medianRow(
		{ name: "", unit: "", against: "" },
		cost.without,
		cost.withFeatures,
	);
	return [
		row(
			"times the processor time of one without",
			cost.processorWith / cost.processorWithout,
		),
		row("times as long as one without", ratio),
	];
}

function goalOf({ name, by, ours, baseline, unit }: Bounded): Goal {
	const goal = name === HEAR ? atLeast : atMost;
	return goal(by === undefined ? name : `${name}, ${by}`, ours, baseline, unit);
}

function wants(part: "windows" | "latency" | "decision"): boolean {
	return options.only === undefined || options.only === part;
}

const windows = wants("windows") ? measureWindows(options.units) : null;
const doors = !wants("latency")
	? []
	: await withUndo((undo) =>
			measureEventToDecision(
				{ eventsPerSecond: options.rate, seconds: options.seconds },
				say,
				undo,
			),
		);
const cost = wants("decision")
	? await withUndo((undo) =>
			measureDecisionCost(
				{ rounds: options.rounds, seconds: SECONDS_A_ROUND },
				say,
				undo,
			),
		)
	: null;
const rows = [
	...(windows === null ? [] : rowsOfWindows(windows)),
	...doors.map(rowOfDoor),
	...(cost === null ? [] : rowsOfDecision(cost)),
];

const goals = rows.map(goalOf);
if (options.json) printJson(rows, goals, { doors, cost });
else {
	printGoals(goals);
	if (windows !== null)
		console.log(
			`${options.units.toLocaleString("en-US")} units, ${WINDOWS_MS.length} windows of ${TYPES.length} counters; ${windows.bytes.toLocaleString("en-US")} bytes in tables, ids included`,
		);
	if (cost !== null)
		console.log(
			`a decision takes ${threeDigits(cost.processorWith)} µs of the decider's processor time with the features (d = ${cost.dWith}), ${threeDigits(cost.processorWithout)} without (d = ${cost.dWithout})`,
		);
	for (const one of doors)
		console.log(
			`${one.door}: ${threeDigits(one.eventsPerSecond)} events and ${threeDigits(one.decisionsPerSecond)} decisions a second; of ${one.probes} events half were in a decision's answer after ${threeDigits(one.p50Ms)} ms, all after ${threeDigits(one.maxMs)} ms; without what the waiting process itself stood still, 99 of 100 after ${threeDigits(one.p99OfOthersMs)} ms; the others' requests were late by ${threeDigits(one.crowdLateMs)} ms at the 99th percentile; the decider took ${threeDigits(one.processor)} of a processor`,
		);
	printMachine();
}
