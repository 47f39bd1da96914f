import { describe, expect, it } from "vitest";
import { MemoryClock, MemoryEventTail } from "#adapters/memory";
import { LiveWindows } from "#core/context";
import { type Event, encodeEvent, eventSubject } from "#core/log";
import { LiveWindowsFeed } from "../src/index.js";

const NOW = Date.UTC(2025, 10, 24, 8);

function room() {
	const clock = new MemoryClock(NOW);
	const stream = new MemoryEventTail();
	const failures: unknown[] = [];
	const feed = new LiveWindowsFeed(new LiveWindows(), stream, clock, {
		failed: (error) => failures.push(error),
		retryMs: 1,
	});
	const skip = (id: string, at: number, change: Partial<Event> = {}) => {
		const event: Event = { id, type: "skip", unit: "u1", at, ...change };
		stream.publish({
			subject: eventSubject(event.type),
			body: encodeEvent(event),
			storedAt: NOW,
		});
	};
	return { stream, feed, skip, failures };
}
const breath = () => new Promise((resolve) => setImmediate(resolve));

describe("live windows", () => {
	it("are ready once the stream's tail was read, from a window before now", async () => {
		const { stream, feed } = room();
		await feed.start();
		expect(feed.ready).toBe(false);
		expect(stream.since).toBe(NOW - 600_000);
		stream.catchUp();
		await breath();
		expect(feed.ready).toBe(true);
		stream.connected = false;
		expect(feed.ready).toBe(false);
		await feed.stop();
	});

	it("count the unit's events of a type inside the window, a repeated id once", async () => {
		const { feed, skip } = room();
		await feed.start();
		skip("e1", NOW - 31_000);
		skip("e2", NOW - 10_000);
		skip("e2", NOW - 10_000);
		skip("e3", NOW - 5_000, { unit: "u2" });
		skip("e4", NOW - 5_000, { type: "play" });
		expect(feed.count("u1", "skip", 30_000, NOW)).toBe(1);
		expect(feed.count("u1", "skip", 300_000, NOW)).toBe(2);
		await feed.stop();
	});

	it("pass over what cannot be understood or lies in the far future", async () => {
		const { stream, feed, skip } = room();
		await feed.start();
		const body = new TextEncoder().encode("{not json");
		stream.publish({ subject: "segue.events.skip", body, storedAt: NOW });
		skip("e1", NOW + 300_001);
		skip("e2", NOW);
		expect(feed.count("u1", "skip", 30_000, NOW)).toBe(1);
		expect(feed.count("u1", "skip", 600_000, NOW + 300_001)).toBe(1);
		await feed.stop();
	});

	it("follow the stream as soon as it is there", async () => {
		const { stream, feed, failures } = room();
		stream.connected = false;
		await feed.start();
		expect(failures.length).toBeGreaterThan(0);
		stream.connected = true;
		while (stream.since === null)
			await new Promise((resolve) => setTimeout(resolve, 1));
		stream.catchUp();
		await breath();
		expect(feed.ready).toBe(true);
		await feed.stop();
	});
});
