import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { LiveFeature } from "#core/experiment";
import { type LiveEvent, LiveWindows } from "#core/live";
import { randomNumbers } from "./decide/experiment.js";
import {
	type BenchmarkOptions,
	benchmark,
	benchmarkOptions,
	printJson,
} from "./support/command.js";
import type { RatioRow } from "./support/ratio-row.js";
import { printMachine, printTable, threeDigits } from "./support/table.js";

/**
 * What a decider's live windows cost: every unit is active in two windows of three counters. Time is processor time of the calls alone,
 * without the making of events; memory is what the process holds more, collected garbage aside.
 */

interface Options extends BenchmarkOptions {
	readonly units: string;
}

interface Bounded extends RatioRow {
	readonly units: number;
}

const MOST_BYTES = 400;
const LEAST_EVENTS = 100_000;
const MOST_MICROSECONDS = 5;

const TYPES = ["skip", "play", "save"];
const WINDOWS_MS = [30_000, 300_000];
/** So often each unit is heard of, on the average. */
const EVENTS_A_UNIT = 3;
const READS = 1_000_000;
const CHUNK = 20_000;

const options = benchmarkOptions<Options>(
	benchmark(
		"bench:context",
		"Bytes a unit, events a second and microseconds a read of a decider's live windows, each beside its bound.",
	).option("--units <n>", "active units", "1000000"),
);
const UNITS = Number(options.units);
const random = randomNumbers(7);
const features: readonly LiveFeature[] = TYPES.flatMap((event) =>
	WINDOWS_MS.map((windowMs) => ({
		event,
		windowMs,
		aggregate: "count" as const,
		by: "unit" as const,
	})),
);

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function heldBytes(): number {
	collectGarbage();
	collectGarbage();
	const { heapUsed, external } = process.memoryUsage();
	return heapUsed + external;
}

/** A pseudonymous id as clients have them; made anew each time, as it comes off the wire. */
function unitId(unit: number): string {
	return `listener-${(unit * 2_654_435_761).toString(36).padStart(12, "0")}`;
}

/** Processor time of the work alone, microseconds. */
function timed(work: () => void): number {
	const before = process.cpuUsage();
	work();
	const { user, system } = process.cpuUsage(before);
	return user + system;
}

const EVENTS = UNITS * EVENTS_A_UNIT;
const BEGIN = Date.UTC(2026, 0, 5, 7);
const longest = Math.max(...WINDOWS_MS);
/** All of them within the longest window, so that no unit leaves. */
const timeOf = (serial: number) => BEGIN + (serial / EVENTS) * longest;

function eventOf(serial: number): LiveEvent {
	// The first of each unit in turn, so that all are active; the others by chance.
	const unit = serial < UNITS ? serial : Math.floor(random() * UNITS);
	return {
		id: `event-${serial.toString(36)}-${unit.toString(36)}`,
		type: TYPES[serial % TYPES.length]!,
		unit: unitId(unit),
		// Up to ten seconds on its way.
		at: timeOf(serial) - random() * 10_000,
	};
}

const before = heldBytes();
const windows = new LiveWindows(features, {
	hashKey: Int32Array.of(7, 7, 7, 7),
	mostKeys: UNITS,
});

let hearing = 0;
for (let serial = 0; serial < EVENTS; serial += CHUNK) {
	const events = Array.from({ length: CHUNK }, (_, i) => eventOf(serial + i));
	hearing += timed(() => {
		for (let i = 0; i < CHUNK; i++)
			windows.hear(events[i]!, timeOf(serial + i));
	});
}
const bytesAUnit = (heldBytes() - before) / windows.size;

const now = BEGIN + longest;
let reading = 0;
let total = 0;
for (let done = 0; done < READS; done += CHUNK) {
	const asks = Array.from({ length: CHUNK }, () => ({
		unit: unitId(Math.floor(random() * UNITS)),
		experiment: "bench",
	}));
	reading += timed(() => {
		for (let i = 0; i < CHUNK; i++)
			total += windows.read(features[i % features.length]!, asks[i]!, now) ?? 0;
	});
}
if (windows.size !== UNITS || total === 0)
	throw new Error(
		`${windows.size} of ${UNITS} units are held, and ${total} events were read.`,
	);

const row = (
	name: string,
	unit: string,
	ours: number,
	baseline: number,
): Bounded => ({
	name,
	ours,
	baseline,
	ratio: ours / baseline,
	unit,
	against: "bound",
	units: UNITS,
});
const rows = [
	row("memory", "bytes a unit", bytesAUnit, MOST_BYTES),
	row("hear", "events a second", (EVENTS * 1e6) / hearing, LEAST_EVENTS),
	row("read", "µs a read", reading / READS, MOST_MICROSECONDS),
];

if (options.json) printJson(rows);
else {
	printTable(
		["", "ours", "bound", "unit"],
		rows.map(({ name, ours, baseline, unit }) => [
			name,
			threeDigits(ours),
			`${name === "hear" ? "≥" : "≤"} ${threeDigits(baseline)}`,
			unit,
		]),
	);
	console.log(
		`${UNITS.toLocaleString("en-US")} units, ${WINDOWS_MS.length} windows of ${TYPES.length} counters; ${windows.bytes.toLocaleString("en-US")} bytes in tables, ids included`,
	);
	printMachine();
}
