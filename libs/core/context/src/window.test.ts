import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LiveWindows } from "./index.js";

const T = 1_700_000_000_000;
const SECOND = 1000;
const MINUTE = 60 * SECOND;

let serial = 0;
const skip = (unit: string, after: number, id = `e${++serial}`) => ({
	unit,
	type: "skip",
	id,
	at: T + after,
});

describe("live windows", () => {
	it("count one unit's events of one type in (now − window, now]", () => {
		const windows = new LiveWindows();
		windows.add(skip("u", 0));
		windows.add(skip("u", 10 * SECOND));
		windows.add({ ...skip("u", 10 * SECOND), type: "play" });
		windows.add(skip("other", 10 * SECOND));
		expect(windows.count("u", "skip", 30 * SECOND, T + 29_999)).toBe(2);
		expect(windows.count("u", "skip", 30 * SECOND, T + 30_000)).toBe(1);
		expect(windows.count("u", "skip", 30 * SECOND, T + 9_999)).toBe(1);
		expect(windows.count("u", "play", 5 * MINUTE, T + MINUTE)).toBe(1);
		expect(windows.count("nobody", "skip", 30 * SECOND, T)).toBe(0);
	});

	it("count a repeated event once", () => {
		const windows = new LiveWindows();
		for (let i = 0; i < 3; i++) windows.add(skip("u", 0, "same"));
		expect(windows.count("u", "skip", 30 * SECOND, T)).toBe(1);
	});

	it("let idle units leave as others come", () => {
		const windows = new LiveWindows({ longestMs: 5 * MINUTE });
		for (let i = 0; i < 100; i++) windows.add(skip(`idle-${i}`, i));
		expect(windows.size).toBe(100);
		for (let i = 0; i < 100; i++) windows.add(skip("busy", 20 * MINUTE + i));
		expect(windows.size).toBe(1);
	});

	it("let idle units leave when told the time", () => {
		const windows = new LiveWindows({ longestMs: 5 * MINUTE });
		windows.add(skip("u", 0));
		windows.prune(T + 5 * MINUTE);
		expect(windows.count("u", "skip", 5 * MINUTE, T)).toBe(1);
		windows.prune(T + 11 * MINUTE);
		expect(windows.size).toBe(0);
	});

	it("hold no more units and events than they may, dropping the oldest", () => {
		const windows = new LiveWindows({ mostUnits: 3, mostEventsPerUnit: 4 });
		for (let i = 0; i < 10; i++) windows.add(skip(`u${i}`, i));
		expect(windows.size).toBe(3);
		expect(windows.count("u6", "skip", MINUTE, T + 100)).toBe(0);
		expect(windows.count("u7", "skip", MINUTE, T + 100)).toBe(1);
		for (let i = 0; i < 10; i++) windows.add(skip("u9", i * SECOND));
		expect(windows.count("u9", "skip", MINUTE, T + 20 * SECOND)).toBe(4);
		expect(windows.count("u9", "skip", 4 * SECOND, T + 9 * SECOND)).toBe(4);
		windows.add(skip("u9", SECOND));
		expect(windows.count("u9", "skip", 4 * SECOND, T + 9 * SECOND)).toBe(4);
	});

	it("forget a unit", () => {
		const windows = new LiveWindows();
		windows.add(skip("u", 0));
		windows.forget("u");
		expect(windows.count("u", "skip", MINUTE, T)).toBe(0);
	});

	it("agree with a recount of all events, in any order and repeated", () => {
		const signal = fc.record({
			unit: fc.constantFrom("u", "v"),
			type: fc.constantFrom("skip", "play"),
			id: fc.integer({ min: 0, max: 40 }).map((n) => `e${n}`),
			at: fc.integer({ min: 0, max: 70 * MINUTE }).map((after) => T + after),
		});
		const signals = fc
			.array(signal, { maxLength: 60 })
			.map((list) => [
				...new Map(list.map((item) => [item.id, item])).values(),
			]);
		const ask = fc.record({
			unit: fc.constantFrom("u", "v"),
			type: fc.constantFrom("skip", "play"),
			windowMs: fc.constantFrom(30 * SECOND, 5 * MINUTE, 60 * MINUTE),
			back: fc.integer({ min: 0, max: 5 * MINUTE }),
		});
		const scenario = signals.chain((list) =>
			fc.tuple(
				fc.shuffledSubarray(list, { minLength: list.length }),
				fc.subarray(list),
				fc.array(ask, { maxLength: 8 }),
			),
		);
		fc.assert(
			fc.property(scenario, ([list, again, asks]) => {
				const windows = new LiveWindows();
				for (const item of [...list, ...again]) windows.add(item);
				const newest = Math.max(T, ...list.map(({ at }) => at));
				for (const { unit, type, windowMs, back } of asks) {
					const now = newest - back;
					const expected = list.filter(
						(item) =>
							item.unit === unit &&
							item.type === type &&
							item.at > now - windowMs &&
							item.at <= now,
					).length;
					expect(windows.count(unit, type, windowMs, now)).toBe(expected);
				}
			}),
			{ numRuns: 1000 },
		);
	});
});
