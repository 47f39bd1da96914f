import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { LiveFeature } from "#core/experiment";
import { type LiveEvent, LiveWindows } from "#core/live";
import { randomNumbers } from "../decide/experiment.js";

/** What live windows cost that hold `units`, each active in two windows of three counters. */
export interface WindowsCost {
	readonly bytesAUnit: number;
	readonly eventsPerSecond: number;
	readonly microsecondsARead: number;
	/** Of all tables, ids included. */
	readonly bytes: number;
}

export const TYPES = ["skip", "play", "save"];
export const WINDOWS_MS = [30_000, 300_000];
/** So often each unit is heard of, on the average. */
const EVENTS_A_UNIT = 3;
const READS = 1_000_000;
const BEGIN = Date.UTC(2026, 0, 5, 7);
const CHUNK = 20_000;

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

/** Time is processor time of the calls alone, without the making of events; memory is what the process holds more, collected garbage aside. */
export function measureWindows(units: number): WindowsCost {
	const random = randomNumbers(7);
	const events = units * EVENTS_A_UNIT;
	const longest = Math.max(...WINDOWS_MS);
	/** All of them within the longest window, so that no unit leaves. */
	const timeOf = (serial: number) => BEGIN + (serial / events) * longest;

	function eventOf(serial: number): LiveEvent {
		// The first of each unit in turn, so that all are active; the others by chance.
		const unit = serial < units ? serial : Math.floor(random() * units);
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
		mostKeys: units,
	});

	let hearing = 0;
	let heard = 0;
	for (; heard < events; heard += CHUNK) {
		const some = Array.from({ length: CHUNK }, (_, i) => eventOf(heard + i));
		hearing += timed(() => {
			for (let i = 0; i < CHUNK; i++) windows.hear(some[i]!, timeOf(heard + i));
		});
	}
	const bytesAUnit = (heldBytes() - before) / windows.size;

	const now = BEGIN + longest;
	let reading = 0;
	let total = 0;
	for (let done = 0; done < READS; done += CHUNK) {
		const asks = Array.from({ length: CHUNK }, () => ({
			unit: unitId(Math.floor(random() * units)),
			experiment: "bench",
		}));
		reading += timed(() => {
			for (let i = 0; i < CHUNK; i++)
				total += Number(
					windows.read(features[i % features.length]!, asks[i]!, now),
				);
		});
	}
	if (windows.size !== units || total === 0)
		throw new Error(
			`${windows.size} of ${units} units are held, and ${total} events were read.`,
		);
	return {
		bytesAUnit,
		eventsPerSecond: (heard * 1e6) / hearing,
		microsecondsARead: reading / READS,
		bytes: windows.bytes,
	};
}
