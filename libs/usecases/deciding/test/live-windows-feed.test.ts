import { describe, expect, it } from "vitest";
import { MemoryClock, MemoryEventTail } from "#adapters/memory";
import type { Definition, LiveFeature } from "#core/experiment";
import { LiveWindows, unitHash } from "#core/live";
import {
	type Event,
	encodeDecisions,
	encodeEvent,
	eventSubject,
	LOG_SUBJECT,
	uuidAtTime,
} from "#core/log";
import { aDecision } from "../../../../test/support/builders.js";
import {
	LiveWindowsFeed,
	type StreamPast,
	type UnitNames,
} from "../src/index.js";
import { definition, experiment, MINUTE } from "./definitions.js";

const NOW = Date.UTC(2025, 10, 24, 8);
const AHEAD = 5 * MINUTE;

const skips: LiveFeature = {
	event: "skip",
	windowMs: 30_000,
	aggregate: "count",
	by: "unit",
};
const skips5m = { ...skips, windowMs: 5 * MINUTE };

function declaring(
	key: string,
	...features: readonly LiveFeature[]
): Definition {
	return definition(
		{},
		{
			key,
			context: {
				intercept: true,
				features: features.map((live, i) => ({
					name: `live${i}`,
					from: "live",
					kind: "number",
					mean: 0,
					scale: 1,
					live,
				})),
			},
		},
	);
}

const hashKey = Int32Array.of(1, 2, 3, 4);
const erased = (unit: string, erasedAt: number) => [
	{ ...unitHash(hashKey, unit), erasedAt },
];

const nothingGone: StreamPast = {
	erasedSince: async () => ({ units: [] }),
	wholeSince: async () => null,
	droppedBefore: async () => null,
};

function room(
	stream = new MemoryEventTail(),
	past: Partial<StreamPast> = {},
	names?: UnitNames,
) {
	const clock = new MemoryClock(NOW);
	const failures: unknown[] = [];
	const made: LiveWindows[] = [];
	const feed = new LiveWindowsFeed(
		stream,
		clock,
		(features) => {
			const windows = new LiveWindows(features, { hashKey, mostKeys: 100 });
			made.push(windows);
			return windows;
		},
		{
			failed: (error) => failures.push(error),
			retryMs: 1,
			past: { ...nothingGone, ...past },
			...(names && { names }),
		},
	);
	const skip = (
		id: string,
		at: number,
		change: Partial<Event> = {},
		storedAt = NOW,
	) => {
		const event: Event = { id, type: "skip", unit: "u1", at, ...change };
		stream.publish({
			subject: eventSubject(event.type),
			body: encodeEvent(event),
			storedAt,
		});
	};
	const read = (feature: LiveFeature, unit = "u1", now = NOW) =>
		feed.read(feature, { unit, experiment: experiment.key }, now);
	/** Declared, started and caught up. */
	const ready = async (...features: LiveFeature[]) => {
		await feed.prepare(declaring("first", ...features));
		feed.start();
		await breath();
		stream.catchUp();
		await breath();
		expect(feed.ready).toBe(true);
	};
	return { clock, stream, feed, skip, read, ready, failures, made };
}
const breath = () => new Promise((resolve) => setImmediate(resolve));
/** Long enough for several looks of the feed, which come each millisecond. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 20));

describe("live features", () => {
	it("can be read once the stream's tail was, from the longest window and a bucket before now", async () => {
		const { stream, feed, read } = room();
		await feed.prepare(declaring("first", skips, skips5m));
		feed.start();
		await breath();
		expect(feed.ready).toBe(false);
		expect(read(skips)).toBeUndefined();
		expect(stream.since).toBe(NOW - 5.5 * MINUTE - AHEAD);
		stream.catchUp();
		await breath();
		expect(feed.ready).toBe(true);
		expect(read(skips)).toBe(0);
		stream.connected = false;
		expect(feed.ready).toBe(false);
		expect(read(skips)).toBeUndefined();
		await feed.stop();
	});

	it("cost no reading of the stream where none is declared", async () => {
		const { stream, feed } = room();
		await feed.prepare(declaring("first"));
		feed.start();
		await breath();
		expect(feed.ready).toBe(true);
		expect(stream.open).toBe(0);
		await feed.stop();
	});

	it("are made of the unit's events inside the window, a repeated id once", async () => {
		const { feed, skip, read, ready } = room();
		await ready(skips, skips5m);
		skip("e1", NOW - 33_000);
		skip("e2", NOW - 10_000);
		skip("e2", NOW - 10_000);
		skip("e3", NOW - 5_000, { unit: "u2" });
		skip("e4", NOW - 5_000, { type: "play" });
		expect(read(skips)).toBe(1);
		expect(read(skips5m)).toBe(2);
		await feed.stop();
	});

	it("pass over what cannot be understood or lies in the far future; a clock some minutes fast counts as now", async () => {
		const { stream, feed, skip, read, ready } = room();
		await ready(skips);
		const body = new TextEncoder().encode("{not json");
		stream.publish({ subject: "segue.events.skip", body, storedAt: NOW });
		skip("e1", NOW + 300_001);
		skip("e2", NOW + 299_000);
		expect(read(skips)).toBe(1);
		await feed.stop();
	});

	it("that a later definition declares are read from the stream's history, while the others go on", async () => {
		const { stream, feed, skip, read, ready } = room();
		await ready(skips);
		skip("e1", NOW - 60_000);
		const preparing = feed.prepare(declaring("second", skips5m));
		await breath();
		skip("e2", NOW - 1_000);
		expect(read(skips)).toBe(1);
		expect(read(skips5m)).toBeUndefined();
		expect(feed.ready).toBe(false);
		stream.catchUp();
		await preparing;
		expect(read(skips5m)).toBe(2);
		expect(read(skips)).toBe(1);
		skip("e3", NOW);
		expect(read(skips5m)).toBe(3);
		expect(stream.open).toBe(1);
		await feed.stop();
		expect(stream.open).toBe(0);
	});

	it("by arm and experiment follow the log as well, twice as far back", async () => {
		const byArm: LiveFeature = { ...skips, by: "arm", arm: "focus" };
		const { stream, feed, skip, ready } = room();
		await ready(byArm, { ...skips, by: "experiment" });
		expect(stream.filter).toBe("segue.>");
		expect(stream.since).toBe(NOW - 66_000 - AHEAD);
		const decide = (id: string, arm: string) =>
			stream.publish({
				subject: LOG_SUBJECT,
				body: encodeDecisions(
					[aDecision(declaring(experiment.key), { id, arm })],
					{
						boot: "019b0000-0000-7000-8000-000000000000",
						sequence: 1,
					},
				),
				storedAt: NOW,
			});
		const first = uuidAtTime(NOW - 2_000);
		const second = uuidAtTime(NOW - 1_000);
		decide(first, "focus");
		decide(second, "energy");
		skip("e1", NOW, { decisionId: first });
		skip("e2", NOW, { decisionId: first, unit: "u2" });
		skip("e3", NOW, { decisionId: second });
		skip("e4", NOW, { decisionId: uuidAtTime(NOW - 3_000) });
		skip("e5", NOW);
		const ask = { unit: "u9", experiment: experiment.key };
		expect(feed.read(byArm, ask, NOW)).toBe(2);
		expect(feed.read({ ...skips, by: "experiment" }, ask, NOW)).toBe(3);
		const other = { unit: "u1", experiment: "another" };
		expect(feed.read({ ...skips, by: "experiment" }, other, NOW)).toBe(0);
		await feed.stop();
	});

	it("are forgotten with their unit, also while others are being filled", async () => {
		const { stream, feed, skip, read, ready } = room();
		await ready(skips);
		skip("e1", NOW);
		skip("e2", NOW, { unit: "u2" });
		const preparing = feed.prepare(declaring("second", skips5m));
		await breath();
		feed.forget(erased("u1", NOW));
		expect(read(skips)).toBe(0);
		stream.catchUp();
		await preparing;
		expect([read(skips), read(skips5m), read(skips, "u2")]).toEqual([0, 0, 1]);
		await feed.stop();
	});

	it("that are filled from the stream leave out who was erased since, also where the stream still has it", async () => {
		const asked: number[] = [];
		const past = {
			erasedSince: async (instant: number) => {
				asked.push(instant);
				return { units: erased("u1", NOW - 10_000) };
			},
		};
		const { stream, feed, skip, read } = room(undefined, past);
		skip("e1", NOW - 20_000);
		skip("e2", NOW - 1_000);
		skip("e3", NOW - 20_000, { unit: "u2" });
		await feed.prepare(declaring("first", skips));
		feed.start();
		await breath();
		stream.catchUp();
		await breath();
		expect(asked).toEqual([stream.since]);
		expect([read(skips), read(skips, "u2")]).toEqual([1, 1]);
		await feed.stop();
	});

	it("are not filled while it cannot be told who was erased", async () => {
		let away = true;
		const { stream, feed, read, failures } = room(undefined, {
			erasedSince: async () => {
				if (away) throw new Error("The database is away.");
				return { units: [] };
			},
		});
		await feed.prepare(declaring("first", skips));
		feed.start();
		await expect.poll(() => failures.length).toBeGreaterThan(0);
		expect(stream.open).toBe(0);
		expect(read(skips)).toBeUndefined();
		away = false;
		await expect.poll(() => stream.open).toBe(1);
		stream.catchUp();
		await breath();
		expect(read(skips)).toBe(0);
		await feed.stop();
	});

	it("cannot be read while their window reaches back to what the stream had dropped, and no longer", async () => {
		const wholeSince = NOW - 60_000;
		const byAll: LiveFeature = { ...skips, by: "experiment" };
		const { skip, read, ready, feed } = room(undefined, {
			wholeSince: async () => wholeSince,
		});
		await ready(skips, skips5m, byAll);
		skip("e1", NOW - 10_000);
		expect(feed.ready).toBe(true);
		expect([read(skips), read(skips5m), read(byAll)]).toEqual([
			1,
			undefined,
			undefined,
		]);
		// The older edge of a window may lie a twentieth beyond it; an event there may name a decision as old as the longest window and its bucket.
		const first = wholeSince + 1.05 * 5 * MINUTE;
		expect(read(skips5m, "u1", first - 1)).toBeUndefined();
		expect(read(skips5m, "u1", first)).toBe(1);
		const firstOfAll = wholeSince + 31_500 + 5.5 * MINUTE;
		expect(read(byAll, "u1", firstOfAll - 1)).toBeUndefined();
		expect(read(byAll, "u1", firstOfAll)).toBe(0);
		// What was heard once stays heard.
		expect(read(byAll, "u1", wholeSince + 20 * MINUTE)).toBe(0);
		expect(read(byAll, "u1", firstOfAll)).toBe(0);
		await feed.stop();
	});

	it("that are declared anew over a long window say so until it was heard as a whole; the others go on", async () => {
		const hour = { ...skips, windowMs: 60 * MINUTE };
		const { clock, stream, skip, read, ready, feed } = room(undefined, {
			// A quarter of an hour is kept.
			wholeSince: async () => clock.now() - 15 * MINUTE,
		});
		await ready(skips);
		skip("e1", NOW - 20_000);
		const preparing = feed.prepare(declaring("second", hour));
		await breath();
		stream.catchUp();
		await preparing;
		expect([read(skips), read(hour)]).toEqual([1, undefined]);
		expect(read(hour, "u1", NOW + 48 * MINUTE)).toBe(1);
		await feed.stop();
	});

	describe("of a reader that may have missed what the stream dropped", () => {
		const droppable = async () => {
			const past = { dropped: null as number | null, isAway: false };
			const parts = room(undefined, {
				droppedBefore: async () => {
					if (past.isAway) throw new Error("The database is away.");
					return past.dropped;
				},
			});
			await parts.ready(skips, skips5m);
			const looks = async () => {
				await aWhile();
				return [parts.read(skips), parts.read(skips5m)];
			};
			parts.skip("e1", NOW - 10_000);
			expect(await looks()).toEqual([1, 1]);
			return { ...parts, past, looks };
		};

		it("cannot be read until their windows lie behind it", async () => {
			const { clock, past, looks, read, feed } = await droppable();
			// What was heard had been stored at NOW: all before it may go.
			past.dropped = NOW;
			expect(await looks()).toEqual([1, 1]);
			past.dropped = NOW + 1;
			expect(await looks()).toEqual([undefined, undefined]);
			clock.advance(31_501);
			expect(read(skips, "u1", clock.now())).toBe(0);
			expect(read(skips5m, "u1", clock.now())).toBeUndefined();
			expect(read(skips5m, "u1", NOW + 5.25 * MINUTE + 1)).toBe(0);
			await feed.stop();
		});

		it("cannot be read either where it went on behind it before anybody looked", async () => {
			const { past, skip, looks, feed } = await droppable();
			past.dropped = NOW + 5_000;
			skip("e2", NOW - 1_000, {}, NOW + 10_000);
			expect(await looks()).toEqual([undefined, undefined]);
			await feed.stop();
		});

		it("can be read where it was dropped after it was heard", async () => {
			const { past, skip, looks, feed } = await droppable();
			skip("e2", NOW - 1_000, {}, NOW + 10_000);
			expect(await looks()).toEqual([2, 2]);
			past.dropped = NOW + 10_000;
			expect(await looks()).toEqual([2, 2]);
			await feed.stop();
		});

		it("are looked after while others take long to fill", async () => {
			const { past, looks, feed } = await droppable();
			const preparing = feed.prepare(
				declaring("second", { ...skips, event: "save" }),
			);
			await aWhile();
			past.dropped = NOW + 1;
			expect(await looks()).toEqual([undefined, undefined]);
			await feed.stop();
			await preparing;
		});

		it("are looked after once the database, which was away, tells again", async () => {
			const { past, skip, looks, feed } = await droppable();
			past.isAway = true;
			skip("e2", NOW - 1_000, {}, NOW + 10_000);
			expect(await looks()).toEqual([2, 2]);
			past.dropped = NOW + 5_000;
			past.isAway = false;
			expect(await looks()).toEqual([undefined, undefined]);
			await feed.stop();
		});
	});

	it("that were heard before the stream dropped it stay readable while another is declared, until the new windows are whole", async () => {
		const save = { ...skips, event: "save" };
		let dropped: number | null = null;
		const { clock, stream, skip, read, ready, feed, made } = room(undefined, {
			wholeSince: async () => dropped,
			droppedBefore: async () => dropped,
		});
		await ready(skips, skips5m);
		skip("e1", NOW - 60_000);
		await aWhile();
		dropped = NOW - 40_000;
		const preparing = feed.prepare(declaring("second", save));
		await breath();
		stream.catchUp();
		await preparing;
		expect(stream.open, "both are fed").toBe(2);
		expect([read(skips), read(skips5m), read(save)]).toEqual([0, 1, 0]);
		skip("e2", NOW);
		expect([read(skips), read(skips5m)]).toEqual([1, 2]);
		feed.forget(erased("u1", NOW));
		expect([read(skips), read(skips5m)]).toEqual([0, 0]);
		expect(made).toHaveLength(2);

		clock.advance(5 * MINUTE);
		await expect.poll(() => stream.open).toBe(1);
		expect(read(skips5m, "u1", clock.now())).toBe(0);
		await feed.stop();
		expect(stream.open).toBe(0);
	});

	it("let idle units go as time passes, though nothing comes", async () => {
		const { clock, feed, skip, ready, made } = room();
		await ready(skips);
		skip("e1", NOW);
		expect(made[0]?.size).toBe(1);
		clock.advance(MINUTE);
		await expect.poll(() => made[0]?.size).toBe(0);
		await feed.stop();
	});

	it("follow the stream as soon as it is there", async () => {
		const { stream, feed, failures } = room();
		stream.connected = false;
		await feed.prepare(declaring("first", skips));
		feed.start();
		await expect.poll(() => failures.length).toBeGreaterThan(0);
		stream.connected = true;
		await expect.poll(() => stream.open).toBe(1);
		stream.catchUp();
		await breath();
		expect(feed.ready).toBe(true);
		await feed.stop();
	});

	it("do not hold up the end while the stream is still being read", async () => {
		const { stream, feed } = room();
		await feed.prepare(declaring("first", skips));
		feed.start();
		await breath();
		await feed.stop();
		expect(stream.open).toBe(0);
		await feed.prepare(declaring("second", skips5m));
		expect(stream.open).toBe(0);
	});

	it("leave no reader behind that was being opened at the end", async () => {
		const { stream, feed } = room();
		await feed.prepare(declaring("first", skips));
		feed.start();
		await feed.stop();
		await breath();
		expect(stream.open).toBe(0);
	});
});

describe("where units are called by keys", () => {
	it("events that name a unit otherwise are in no window, and a window that reaches back to another name has no value", async () => {
		const { feed, skip, read, ready } = room(undefined, undefined, {
			isNamed: (unit) => unit.startsWith("~"),
			since: () => NOW - MINUTE,
		});
		await ready(skips, skips5m);
		skip("a", NOW, { unit: "~u1" });
		skip("b", NOW, { unit: "u1" });
		expect([read(skips, "~u1"), read(skips)]).toEqual([1, 0]);
		expect(read(skips5m, "~u1")).toBeUndefined();
		expect(read(skips5m, "~u1", NOW + 4 * MINUTE)).toBe(1);
		await feed.stop();
	});
});
