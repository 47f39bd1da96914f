import { describe, expect, it } from "vitest";
import { MemoryClock, MemoryConsents, MemoryEventTail } from "#adapters/memory";
import type { Feature, LiveFeature } from "#core/experiment";
import { LiveWindows, unitHash } from "#core/live";
import { type Event, encodeEvent, eventSubject, uuidAtTime } from "#core/log";
import { NO_CONSENT } from "#core/privacy";
import { ConsentCache } from "#usecases/consenting";
import { eventually } from "../../../../test/contract/eventually.js";
import { privacyOf } from "../../../../test/support/privacy.js";
import { LiveWindowsFeed, unitUnder } from "../src/index.js";
import { definition, MINUTE } from "./definitions.js";

const NOW = Date.UTC(2025, 10, 24, 8);
const hashKey = Int32Array.of(1, 2, 3, 4);
const skips: LiveFeature = {
	event: "skip",
	windowMs: 5 * MINUTE,
	aggregate: "count",
	by: "unit",
};
const of = (name: string, consent?: string): Feature => ({
	name,
	from: "live",
	kind: "number",
	mean: 0,
	scale: 1,
	live: skips,
	...(consent !== undefined && { consent }),
});
const gate = "personalization ";

/** A decider's windows of one experiment, over units that consent to what is put. */
async function room(stream = new MemoryEventTail(), stored?: MemoryConsents) {
	const clock = new MemoryClock(NOW);
	const consented = stored ?? new MemoryConsents(clock);
	const made: LiveWindows[] = [];
	let heardAt = () => performance.now();
	const consents: ConsentCache = new ConsentCache(consented, () => heardAt(), {
		onChanged: (unit, since) =>
			feed.forgetGated([
				{
					...unitHash(hashKey, unitUnder(unit, since)),
					erasedAt: clock.now(),
				},
			]),
	});
	const feed: LiveWindowsFeed = new LiveWindowsFeed(
		stream,
		clock,
		(features) => {
			const windows = new LiveWindows(features, { hashKey, mostKeys: 100 });
			made.push(windows);
			return windows;
		},
		{ retryMs: 1, keeper: { policy: privacyOf(), consents } },
	);
	await feed.prepare(
		definition(
			{},
			{
				key: "e",
				context: {
					intercept: true,
					features: [of("open"), of("own", "personalization")],
				},
			},
		),
	);
	feed.start();
	await eventually(() => {
		stream.catchUp();
		expect(feed.ready).toBe(true);
	});
	const put = async (unit: string, answers: { [purpose: string]: boolean }) => {
		const row = await consented.put(unit, { ...NO_CONSENT, answers }, []);
		consents.put(unit, row);
		return row.values.since;
	};
	let sent = 0;
	const skip = async (unit: string, more: Partial<Event> = {}) => {
		const event: Event = {
			id: `event-${++sent}-${clock.now()}`,
			type: "skip",
			unit,
			at: clock.now(),
			...more,
		};
		stream.publish({
			subject: eventSubject(event.type),
			body: encodeEvent(event),
			storedAt: clock.now(),
		});
		await new Promise((resolve) => setTimeout(resolve, 5));
	};
	const ask = (unit: string) => ({ unit, experiment: "e" });
	return {
		clock,
		stream,
		consented,
		consents,
		feed,
		put,
		skip,
		silence: () => {
			heardAt = () => Number.NEGATIVE_INFINITY;
		},
		speak: () => {
			heardAt = () => performance.now();
		},
		/** Keys in the windows that need consent. */
		held: () => made[1]?.size,
		open: (unit: string) => feed.read(skips, ask(unit), clock.now()),
		own: (unit: string, since: number) =>
			feed.read(skips, ask(unit), clock.now(), { gate, since }),
		stop: () => feed.stop(),
	};
}

describe("windows over a feature that needs consent", () => {
	it("leave out what is taken back, as all others do", async () => {
		const { put, skip, own, open, clock, stop } = await room();
		const since = await put("u1", { personalization: true });
		clock.advance(1_000);
		const decisionId = uuidAtTime(clock.now());
		await skip("u1", { id: "gone", decisionId });
		await skip("u1", { id: "stays", decisionId });
		expect([open("u1"), own("u1", since)]).toEqual([2, 2]);
		await skip("u1", { type: "retract", decisionId, retracts: "gone" });
		expect([open("u1"), own("u1", since)]).toEqual([1, 1]);
		await stop();
	});

	it("count what units do that gave it, and hold nothing of any other", async () => {
		const { put, skip, own, open, held, stop } = await room();
		const since = await put("gave", { personalization: true });
		await put("refused", { personalization: false });
		for (const unit of ["gave", "gave", "refused", "never asked"])
			await skip(unit);
		expect(own("gave", since)).toBe(2);
		expect(held()).toBe(1);
		for (const unit of ["refused", "never asked"]) expect(open(unit)).toBe(1);
		await stop();
	});

	it("forget at a withdrawal what they had, and begin afresh when it is given again", async () => {
		const { clock, put, skip, own, held, open, stop } = await room();
		const first = await put("unit", { personalization: true });
		await skip("unit");
		expect(own("unit", first)).toBe(1);
		clock.advance(1_000);
		const withdrawn = await put("unit", { personalization: false });
		expect(held()).toBe(0);
		await skip("unit");
		expect(own("unit", withdrawn)).toBe(0);
		clock.advance(1_000);
		const again = await put("unit", { personalization: true });
		expect(own("unit", again)).toBe(0);
		await skip("unit");
		expect(own("unit", again)).toBe(1);
		expect(open("unit")).toBe(3);
		await stop();
	});

	it("that are filled anew from the stream have what those had that were there all the time", async () => {
		const one = await room();
		await one.put("unit", { personalization: true });
		await one.skip("unit");
		one.clock.advance(1_000);
		await one.put("unit", { personalization: false });
		await one.skip("unit");
		one.clock.advance(1_000);
		const since = await one.put("unit", { personalization: true });
		await one.skip("unit");
		await one.skip("stranger");
		const other = await room(one.stream, one.consented);
		other.clock.advance(2_000);
		expect(other.own("unit", since)).toBe(1);
		expect(other.own("unit", since)).toBe(one.own("unit", since));
		expect(other.held()).toBe(1);
		await one.stop();
		await other.stop();
	});

	it("wait with an event whose consent cannot be told yet, and count it then", async () => {
		const { put, skip, own, silence, speak, stop } = await room();
		const since = await put("unit", { personalization: true });
		silence();
		await skip("unit");
		expect(own("unit", since)).toBe(0);
		speak();
		await eventually(() => expect(own("unit", since)).toBe(1));
		await stop();
	});

	it("forget a unit whose consent was changed elsewhere, and that was erased", async () => {
		const { clock, consented, consents, put, skip, held, stop } = await room();
		for (const unit of ["changed", "erased", "stays"]) {
			await put(unit, { personalization: true });
			await skip(unit);
		}
		expect(held()).toBe(3);
		clock.advance(10);
		const no = { ...NO_CONSENT, answers: { personalization: false } };
		const { updatedAt } = await consented.put("changed", no, []);
		consents.forgetOlder("changed", updatedAt);
		await eventually(() => expect(held()).toBe(2));
		consented.remove("erased");
		consents.forget("erased");
		expect(held()).toBe(1);
		await stop();
	});
});
