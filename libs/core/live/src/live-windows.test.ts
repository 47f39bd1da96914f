import { describe, expect, it } from "vitest";
import type { LiveFeature } from "#core/experiment";
import { uuidAtTime } from "#core/log";
import {
	historyMs,
	LiveWindows,
	type LiveWindowsOptions,
	unitHash,
} from "./index.js";

const T = 1_700_000_000_000;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const skips: LiveFeature = {
	event: "skip",
	windowMs: 30 * SECOND,
	aggregate: "count",
	by: "unit",
};
const like = (change: Partial<LiveFeature>): LiveFeature => ({
	...skips,
	...change,
});

const hashKey = Int32Array.of(1, 2, 3, 4);
let serial = 0;
function over(
	features: readonly LiveFeature[],
	options: Partial<LiveWindowsOptions> = {},
) {
	const windows = new LiveWindows(features, {
		hashKey,
		mostKeys: 100,
		...options,
	});
	return {
		windows,
		/** A skip of u1 at T, stored when it happened. */
		hear: (event: object = {}, storedAt?: number) => {
			const whole = { id: `e${++serial}`, type: "skip", unit: "u1", at: T };
			const heard = { ...whole, ...event };
			windows.hear(heard, storedAt ?? heard.at);
		},
		/** Erased when the events of a test were long over, but for those that say otherwise. */
		forget: (unit: string, erasedAt = T - MINUTE) =>
			windows.forget([{ ...unitHash(hashKey, unit), erasedAt }]),
		read: (feature: LiveFeature, now = T, ask: object = {}) =>
			windows.read(feature, { unit: "u1", experiment: "prompt", ...ask }, now),
	};
}

describe("a live feature of somebody nothing is known of", () => {
	it.each([
		["count", 0],
		["rate", 0],
		["sum", 0],
		["mean", null],
		["last", null],
		["timeSince", 30],
		["distinct", 0],
	] as const)("is, as %s, %s", (aggregate, expected) => {
		const feature = like({ aggregate });
		expect(over([feature]).read(feature)).toBe(expected);
	});

	it("is missing where the session or the item is not said", () => {
		const bySession = like({ by: "session" });
		const byItem = like({ by: "item", item: "track" });
		const room = over([bySession, byItem]);
		expect(room.read(bySession)).toBeNull();
		expect(room.read(byItem)).toBeNull();
		expect(room.read(bySession, T, { session: "s" })).toBe(0);
	});

	it("is told anew after each event, by whomever it is asked for", () => {
		const ofItem = like({ by: "item" });
		const ofArm = like({ by: "arm", arm: "focus" });
		const room = over([skips, ofItem, ofArm]);
		const ask = { unit: "u1", experiment: "prompt", item: "t1" };
		const read = (feature = skips) => room.windows.read(feature, ask, T);
		expect([read(), read(ofItem), read(ofArm), read()]).toEqual([0, 0, 0, 0]);
		room.hear({ item: "t1" });
		expect([read(), read(), read(ofItem), read(ofArm)]).toEqual([1, 1, 1, 0]);
		room.hear({ item: "t2" });
		expect([read(), read(ofItem)]).toEqual([2, 1]);
		expect(room.read(skips, T, { unit: "u2" })).toBe(0);
		expect(read()).toBe(2);
		room.forget("u1", T + SECOND);
		expect(read()).toBe(0);
		room.hear({ unit: "u1", at: T + MINUTE });
		room.windows.leave(T + 10 * MINUTE);
		expect(read()).toBe(0);
	});

	it("cannot be told where it was not declared", () => {
		expect(over([skips]).read(like({ event: "play" }))).toBeUndefined();
		expect(over([skips]).windows.serves(like({ by: "session" }))).toBe(false);
	});
});

describe("live windows", () => {
	it("round their older edge to the nearest bucket, a tenth of the window wide", () => {
		const { hear, read } = over([skips]);
		hear();
		const ages = Array.from({ length: 40 }, (_, i) => i * SECOND);
		const counted = ages.filter((age) => read(skips, T + age) === 1);
		const longest = counted.at(-1)!;
		expect(longest).toBeGreaterThanOrEqual(28.5 * SECOND);
		expect(longest).toBeLessThanOrEqual(31.5 * SECOND);
		expect(counted).toHaveLength(longest / SECOND + 1);
	});

	it("keep last and timeSince to the millisecond", () => {
		const last = like({ aggregate: "last", of: "value" });
		const since = like({ aggregate: "timeSince" });
		const { hear, read } = over([last, since]);
		hear({ value: 2 });
		expect(read(last, T + 29_999)).toBe(2);
		expect(read(last, T + 30_000)).toBeNull();
		expect(read(since, T + 1_234)).toBe(1.234);
		expect(read(since, T + 90_000)).toBe(30);
	});

	it("say a rate in events a minute", () => {
		const rate = like({ aggregate: "rate" });
		const { hear, read } = over([rate]);
		for (let i = 0; i < 3; i++) hear();
		expect(read(rate)).toBe(6);
	});

	it("take an event from the future as of when it was stored, so that a fast clock is seen at once", () => {
		const { hear, read } = over([skips]);
		hear({ at: T + 4 * MINUTE }, T);
		expect(read(skips, T)).toBe(1);
		expect(read(skips, T + MINUTE)).toBe(0);
	});

	it("count an id once for each unit and decision", () => {
		const { hear, read } = over([skips]);
		for (let i = 0; i < 3; i++) hear({ id: "same" });
		hear({ id: "same", decisionId: uuidAtTime(T) });
		hear({ id: "same", unit: "u2" });
		expect(read(skips)).toBe(2);
	});

	it("know an id for certain until as many others came as are remembered, and no longer than twice that", () => {
		const { hear, read } = over([skips], { mostIds: 8 });
		hear({ id: "first" });
		for (let i = 0; i < 7; i++) hear({ unit: "u2" });
		hear({ id: "first" });
		expect(read(skips)).toBe(1);
		for (let i = 0; i < 16; i++) hear({ unit: "u2" });
		hear({ id: "first" });
		expect(read(skips)).toBe(2);
	});

	it("take of an id's bodies the first", () => {
		const sum = like({ aggregate: "sum", of: "value" });
		const { hear, read } = over([sum]);
		hear({ id: "a", value: 1 });
		hear({ id: "a", value: 5 });
		expect(read(sum)).toBe(1);
	});

	it("pass over what is older than every window when it comes", () => {
		const { windows, hear } = over([skips]);
		hear({ at: T - 33 * SECOND }, T);
		expect(windows.size).toBe(0);
	});

	it("tell sessions, items, arms and experiments apart", () => {
		const features = (["session", "item", "arm", "experiment"] as const).map(
			(by) => like({ by, arm: by === "arm" ? "focus" : undefined }),
		);
		const { windows, hear, read } = over(features);
		const [first, second] = [uuidAtTime(T - 1), uuidAtTime(T - 2)];
		windows.decide({ id: first, experiment: "prompt", arm: "focus" });
		windows.decide({ id: second, experiment: "other", arm: "focus" });
		hear({ session: "s1", item: "t1", decisionId: first });
		hear({ session: "s1", item: "t2", decisionId: second, unit: "u2" });
		hear({ session: "s2", item: "t2", decisionId: first });
		const ask = { session: "s1", item: "t2" };
		expect(features.map((one) => read(one, T, ask))).toEqual([1, 2, 2, 2]);
	});

	it("hold distinct names to 64, the latest ones", () => {
		const distinct = like({ aggregate: "distinct", of: "item" });
		const { hear, read } = over([distinct]);
		for (let i = 0; i < 100; i++) hear({ item: `t${i}`, at: T + i * 100 });
		expect(read(distinct, T + 10 * SECOND)).toBe(64);
		for (let i = 0; i < 100; i++) hear({ item: "t1", at: T + 20 * SECOND });
		expect(read(distinct, T + 45 * SECOND)).toBe(1);
	});

	it("answer the same whatever the order in which events come", () => {
		const features = (
			["count", "sum", "mean", "last", "timeSince", "distinct"] as const
		).map((aggregate) =>
			like({
				aggregate,
				of: aggregate === "distinct" ? "item" : "value",
				windowMs: 5 * MINUTE,
			}),
		);
		const events = Array.from({ length: 200 }, (_, i) => ({
			id: `e${i}`,
			at: T + ((i * 7919) % 400) * SECOND,
			value: (i % 13) / 8,
			item: `t${i % 17}`,
		}));
		const answers = [events, [...events].reverse()].map((order) => {
			const { hear, read } = over(features);
			for (const event of order) hear(event, T + 400 * SECOND);
			return features.map((one) => read(one, T + 400 * SECOND));
		});
		expect(answers[0]).toEqual(answers[1]);
		expect(answers[0]).not.toContain(null);
	});
});

describe("an event that was taken back", () => {
	const all = (
		["count", "rate", "sum", "mean", "last", "timeSince"] as const
	).flatMap((aggregate) =>
		(["unit", "session", "item", "arm", "experiment"] as const).map((by) =>
			like({ aggregate, by, arm: by === "arm" ? "focus" : undefined }),
		),
	);
	const decisionId = uuidAtTime(T - 1);
	const said = { session: "s1", item: "t1", decisionId, value: 2 };
	const retract = { type: "retract", decisionId, retracts: "gone" };

	/** What is read after these events, in this order. */
	function readAfter(...events: readonly object[]) {
		const { windows, hear, read } = over(all);
		windows.decide({ id: decisionId, experiment: "prompt", arm: "focus" });
		for (const event of events) hear(event, T);
		return all.map((one) => read(one, T, { session: "s1", item: "t1" }));
	}
	const stays = { ...said, id: "stays", at: T - 5 * SECOND, value: 3 };
	const gone = { ...said, id: "gone" };

	it("counts in no aggregate and for no key, whether the retract came before or after it", () => {
		const expected = readAfter(stays);
		expect(readAfter(stays, gone)).not.toEqual(expected);
		expect(readAfter(stays, gone, retract)).toEqual(expected);
		expect(readAfter(retract, gone, stays)).toEqual(expected);
		expect(readAfter(gone, retract, retract, gone, stays)).toEqual(expected);
	});

	it("is only that of the same unit and decision", () => {
		const expected = readAfter(stays, gone);
		expect(readAfter(stays, gone, { ...retract, unit: "u2" })).toEqual(
			expected,
		);
		const other = uuidAtTime(T - 2);
		expect(readAfter(stays, gone, { ...retract, decisionId: other })).toEqual(
			expected,
		);
	});

	it("leaves the four latest known, one after the other", () => {
		const last = like({ aggregate: "last", of: "value" });
		const since = like({ aggregate: "timeSince" });
		const { hear, read } = over([last, since]);
		for (let i = 0; i < 4; i++)
			hear({ ...said, id: `e${i}`, at: T - i * SECOND, value: i }, T);
		const seen = [];
		for (let i = 0; i < 4; i++) {
			seen.push([read(last), read(since)]);
			hear({ ...retract, retracts: `e${i}` });
		}
		expect(seen).toEqual([
			[0, 0],
			[1, 1],
			[2, 2],
			[3, 3],
		]);
		expect([read(last), read(since)]).toEqual([null, 30]);
	});

	it("keeps its name in distinct, in whatever order", () => {
		const distinct = like({ aggregate: "distinct", of: "item" });
		for (const order of [
			[gone, retract],
			[retract, gone],
		]) {
			const { hear, read } = over([distinct]);
			for (const event of order) hear(event);
			expect(read(distinct)).toBe(1);
		}
	});

	it("is remembered until as many others came that name decisions as are remembered", () => {
		const { hear, read } = over([skips], { mostRetractable: 8 });
		hear(gone);
		for (let i = 0; i < 15; i++) hear({ unit: "u2", decisionId });
		hear(retract);
		expect(read(skips)).toBe(0);
		hear({ ...gone, id: "again" });
		for (let i = 0; i < 16; i++) hear({ unit: "u2", decisionId });
		hear({ ...retract, retracts: "again" });
		expect(read(skips)).toBe(1);
	});

	it("takes nothing from what a unit does after it was forgotten, or its key had to leave", () => {
		const { hear, read, forget } = over([skips], { mostKeys: 2 });
		hear(gone);
		forget("u1", T);
		hear(retract);
		hear({ at: T + 3 * SECOND });
		expect(read(skips, T + 3 * SECOND)).toBe(1);
		hear({ ...gone, id: "other", unit: "u3" });
		for (const unit of ["u4", "u5"]) hear({ unit });
		hear({ ...retract, retracts: "other", unit: "u3" });
		expect(read(skips, T, { unit: "u3" })).toBe(0);
	});
});

describe("a number of an event's properties", () => {
	it("is summed, averaged and remembered as its value is, on the same grid; what is no number does not count", () => {
		const of = "properties.depth" as const;
		const features = (["sum", "mean", "last"] as const).map((aggregate) =>
			like({ aggregate, of }),
		);
		const { hear, read } = over(features);
		hear({ properties: { depth: 0.5 }, at: T - 3 * SECOND });
		hear({ properties: { depth: 0.1 }, at: T - 2 * SECOND });
		hear({ properties: { depth: "deep" } });
		hear({ properties: { dwell: 3 }, value: 7 });
		hear({});
		const tenth = Math.round(0.1 * 4096) / 4096;
		expect(features.map((one) => read(one))).toEqual([
			0.5 + tenth,
			(0.5 + tenth) / 2,
			tenth,
		]);
	});

	it("is never one that objects inherit, and bounded as a value is", () => {
		const sum = like({ aggregate: "sum", of: "properties.length" });
		const { hear, read } = over([sum]);
		hear({ properties: Object.create({ length: 4 }) });
		expect(read(sum)).toBe(0);
		hear({ properties: { length: -1e300 } });
		expect(read(sum)).toBe(-(2 ** 20));
	});
});

describe("the memory of live windows", () => {
	it("is what is said for a key, in pages, whatever comes", () => {
		const { windows, hear } = over([skips, like({ windowMs: 5 * MINUTE })], {
			mostKeys: 2_000,
			mostIds: 1_024,
		});
		for (let i = 0; i < 20_000; i++) hear({ unit: `u${i}`, at: T + i });
		expect(windows.size).toBe(2_000);
		// Two rings of 12 words and their newest bucket, a hash, a time and two links; four pages of 512 keys; the index; two tables of ids,
		// and two of events that may be taken back, with a time and a mark each, of which there are none.
		const aKey = 2 * (12 * 4 + 8) + 24;
		const ids = 2 * 2_048 * 8 + 2 * 1_024 * (8 + 8 + 2);
		expect(windows.bytes).toBe(4 * 512 * aKey + 4_096 * 4 + ids);
	});

	it("keeps the keys heard of last where there is no room for all", () => {
		const { windows, hear, read } = over([skips], { mostKeys: 3 });
		for (const unit of ["a", "b", "c", "a", "d"]) hear({ unit });
		expect(windows.size).toBe(3);
		const counts = ["a", "b", "c", "d"].map((unit) => read(skips, T, { unit }));
		expect(counts).toEqual([2, 0, 1, 1]);
	});

	it("is given back by idle keys as others come", () => {
		const { windows, hear } = over([skips]);
		for (let i = 0; i < 50; i++) hear({ unit: `idle${i}`, at: T + i });
		expect(windows.size).toBe(50);
		for (let i = 0; i < 50; i++) hear({ unit: "busy", at: T + MINUTE + i });
		expect(windows.size).toBe(1);
	});

	it("is given back by idle keys as time passes", () => {
		const { windows, hear, read } = over([skips]);
		hear();
		windows.leave(T + 33 * SECOND);
		expect(windows.size).toBe(1);
		windows.leave(T + 33 * SECOND + 1);
		expect(windows.size).toBe(0);
		hear({ at: T + MINUTE });
		expect(read(skips, T + MINUTE)).toBe(1);
	});

	it("holds what was decided only for features by arm and experiment", () => {
		const byUnit = over([skips]).windows;
		const byAll = over([like({ by: "experiment" })]).windows;
		expect([byUnit.asksDecisions, byAll.asksDecisions]).toEqual([false, true]);
		byUnit.decide({ id: uuidAtTime(T), experiment: "prompt", arm: "focus" });
		// Two tables of 1,024 hashes and numbers.
		expect(byAll.bytes - byUnit.bytes).toBe(2 * 1_024 * 12);
	});

	it("is shared by features that are made of the same", () => {
		const sum = like({ aggregate: "sum", of: "value" });
		const mean = like({ aggregate: "mean", of: "value" });
		const bytes = (...features: LiveFeature[]) => {
			const { windows, hear } = over(features);
			hear({ value: 1 });
			return windows.bytes;
		};
		expect(bytes(sum, mean)).toBe(bytes(mean));
		expect(bytes(skips, like({ aggregate: "rate" }))).toBe(bytes(skips));
	});
});

describe("a unit that is forgotten", () => {
	const bySession = like({ by: "session" });
	const byItem = like({ by: "item", item: "track" });

	it("is gone with its sessions, and nobody else is", () => {
		const { windows, hear, read, forget } = over([skips, bySession, byItem]);
		for (const unit of ["u1", "u2"])
			for (const session of ["s1", "s2"]) hear({ unit, session, item: "t" });
		forget("u1");
		const of = (unit: string) => [
			read(skips, T, { unit }),
			read(bySession, T, { unit, session: "s1" }),
			read(bySession, T, { unit, session: "s2" }),
		];
		expect(of("u1")).toEqual([0, 0, 0]);
		expect(of("u2")).toEqual([2, 1, 1]);
		expect(read(byItem, T, { item: "t" })).toBe(4);
		expect(windows.size).toBe(4);
	});

	it("begins with nothing when it comes back, and so does who gets its place", () => {
		const sum = like({ aggregate: "sum", of: "value" });
		const last = like({ aggregate: "last", of: "value" });
		const { hear, read, forget } = over([skips, sum, last]);
		const of = (unit: string) =>
			[skips, sum, last].map((one) => read(one, T, { unit }));
		hear({ value: 5 });
		forget("u1");
		hear({ unit: "u2", value: 2, at: T - SECOND });
		expect(of("u2")).toEqual([1, 2, 2]);
		hear({ at: T - SECOND });
		expect(of("u1")).toEqual([1, 0, null]);
	});
});

describe("what an erased unit did until 2 s after its erasure", () => {
	const bySession = like({ by: "session" });
	const byItem = like({ by: "item", item: "track" });
	const features = [skips, bySession, byItem];
	const ask = { session: "s1", item: "t1" };

	it("is passed over, however late it comes, by its own time", () => {
		const { hear, read, forget } = over(features);
		forget("u1", T);
		for (const at of [T - SECOND, T, T + 2 * SECOND])
			hear({ at, ...ask }, T + 10 * SECOND);
		const now = T + 10 * SECOND;
		expect(features.map((one) => read(one, now, ask))).toEqual([0, 0, 0]);
		hear({ at: T + 2_001, ...ask }, now);
		hear({ at: T, unit: "u2", ...ask }, now);
		expect(features.map((one) => read(one, now, ask))).toEqual([1, 1, 2]);
	});

	it("is gone after the first word of the erasure; what came since stays with the second", () => {
		const { hear, read, forget } = over(features);
		hear({ at: T - SECOND, ...ask });
		forget("u1", T);
		expect(read(skips, T)).toBe(0);
		hear({ at: T + 3 * SECOND, ...ask });
		forget("u1", T);
		expect(read(skips, T + 3 * SECOND)).toBe(1);
		forget("u1", T + 5 * SECOND);
		expect(read(skips, T + 5 * SECOND)).toBe(0);
	});

	it("needs no remembering when no window reaches back to it", () => {
		const { windows, hear, forget } = over([skips]);
		forget("u1", T);
		windows.leave(T + 35 * SECOND);
		hear({ at: T + 2 * SECOND }, T + 35 * SECOND);
		expect(windows.size).toBe(0);
		hear({ at: T + 2 * SECOND }, T + 34 * SECOND);
		expect(windows.size).toBe(1);
	});
});

describe("the history that windows need", () => {
	it("is the longest window and its bucket, and as much again for what was decided", () => {
		expect(historyMs([])).toBe(0);
		const hour = like({ windowMs: 60 * MINUTE });
		expect(historyMs([skips, hour])).toBe(66 * MINUTE);
		expect(historyMs([like({ by: "arm", arm: "a" })])).toBe(66 * SECOND);
	});

	it("holds back what a decision brings that was made before it", () => {
		const feature = like({ by: "experiment" });
		const { windows, hear, read } = over([feature]);
		const [old, young] = [33 * SECOND, 33 * SECOND - 1].map((age) =>
			uuidAtTime(T - age),
		) as [string, string];
		for (const id of [old, young])
			windows.decide({ id, experiment: "prompt", arm: "focus" });
		hear({ decisionId: old });
		hear({ decisionId: young });
		expect(read(feature)).toBe(1);
	});
});
