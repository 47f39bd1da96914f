import { Option } from "commander";
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
import {
	type BenchmarkOptions,
	benchmark,
	benchmarkOptions,
	printJson,
	wholeFrom,
} from "./support/command.js";
import type { RatioRow } from "./support/ratio-row.js";
import { printMachine, printTable, threeDigits } from "./support/table.js";

/** What a decider's live windows cost, and how long it takes until a decision knows of an event. */

interface Options extends BenchmarkOptions {
	readonly units: number;
	readonly seconds: number;
	readonly rate: number;
	readonly only?: "windows" | "latency";
}

interface Bounded extends RatioRow {
	readonly units?: number;
	/** Where events came in. */
	readonly by?: string;
	readonly p50?: number;
	readonly max?: number;
}

const MOST_BYTES = 400;
const LEAST_EVENTS = 100_000;
const MOST_MICROSECONDS = 5;
const MOST_MS = 50;

const options = benchmarkOptions<Options>(
	benchmark(
		"bench:context",
		"Bytes a unit, events a second and microseconds a read of a decider's live windows, and milliseconds from an event to a decision that knows of it, each beside its bound.",
	)
		.option("--units <n>", "active units", wholeFrom(1), 1_000_000)
		.option("--seconds <n>", "seconds of events by each door", wholeFrom(1), 20)
		.option("--rate <n>", "events a second", wholeFrom(250), 2_000)
		.addOption(
			new Option("--only <part>", "one of the parts").choices([
				"windows",
				"latency",
			]),
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
		bounded("hear", "events a second", cost.eventsPerSecond, LEAST_EVENTS, {
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

const windows =
	options.only === "latency" ? null : measureWindows(options.units);
const doors =
	options.only === "windows"
		? []
		: await withUndo((undo) =>
				measureEventToDecision(
					{ eventsPerSecond: options.rate, seconds: options.seconds },
					say,
					undo,
				),
			);
const rows = [
	...(windows === null ? [] : rowsOfWindows(windows)),
	...doors.map(rowOfDoor),
];

if (options.json) printJson(rows, { doors });
else {
	printTable(
		["", "ours", "bound", "unit"],
		rows.map(({ name, by, ours, baseline, unit }) => [
			by === undefined ? name : `${name}, ${by}`,
			threeDigits(ours),
			`${name === "hear" ? "≥" : "≤"} ${threeDigits(baseline)}`,
			unit,
		]),
	);
	if (windows !== null)
		console.log(
			`${options.units.toLocaleString("en-US")} units, ${WINDOWS_MS.length} windows of ${TYPES.length} counters; ${windows.bytes.toLocaleString("en-US")} bytes in tables, ids included`,
		);
	for (const one of doors)
		console.log(
			`${one.door}: ${threeDigits(one.eventsPerSecond)} events and ${threeDigits(one.decisionsPerSecond)} decisions a second; of ${one.probes} events half were in a decision's answer after ${threeDigits(one.p50Ms)} ms, all after ${threeDigits(one.maxMs)} ms; the decider took ${threeDigits(one.processor)} of a processor`,
		);
	printMachine();
}
