import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryClock, MemoryProfiles } from "#adapters/memory";
import { ProfileCache, type UnitCacheOptions } from "../src/index.js";

/** Long enough that only what is meant to end it does. */
const PATIENT = 20_000;

const turn = () => new Promise((resolve) => setImmediate(resolve));
async function turns(n = 5) {
	for (let i = 0; i < n; i++) await turn();
}

function room(options: UnitCacheOptions = {}) {
	const clock = new MemoryClock(1_000);
	const stored = new MemoryProfiles(clock);
	const failures: unknown[] = [];
	const failed = (error: unknown) => void failures.push(error);
	const cache = new ProfileCache(stored, { failed, ...options });
	/** Questions that are held back, each with the way to let it go. */
	const held: (() => void)[] = [];
	const hold = () => {
		stored.delay = () => new Promise((resolve) => held.push(resolve));
	};
	const letGo = async () => {
		stored.delay = async () => {};
		for (const go of held.splice(0)) go();
		await turns();
	};
	return { clock, stored, cache, failures, held, hold, letGo };
}

describe("a unit that is looked up", () => {
	it("is asked for once; from then on it is there at once, also where it has no profile", async () => {
		const { stored, cache } = room();
		await stored.put("known", { taste: [1, 2] });
		expect(await cache.lookUp("known", PATIENT)).toEqual({ taste: [1, 2] });
		expect(await cache.lookUp("nobody", PATIENT)).toEqual({});
		expect(cache.lookUp("known", PATIENT)).toEqual({ taste: [1, 2] });
		expect(cache.lookUp("nobody", PATIENT)).toEqual({});
		expect(stored.questions).toEqual([["known"], ["nobody"]]);
	});

	it("by many at once shares one question, and many units go in one", async () => {
		const { stored, cache, hold, letGo } = room();
		await stored.put("a", { v: 1 });
		hold();
		const answers = ["a", "a", "b", "a", "b"].map((unit) =>
			cache.lookUp(unit, PATIENT),
		);
		await turns();
		const late = cache.lookUp("a", PATIENT);
		await letGo();
		expect(await Promise.all([...answers, late])).toEqual([
			{ v: 1 },
			{ v: 1 },
			{},
			{ v: 1 },
			{},
			{ v: 1 },
		]);
		expect(stored.questions).toEqual([["a", "b"]]);
	});

	it("is had within the budget or not at all, and what comes late serves the next", async () => {
		const { stored, cache, hold, letGo } = room();
		await stored.put("slow", { v: 1 });
		hold();
		const muchLater = new Promise((resolve) =>
			setTimeout(resolve, 1_000, "still waits"),
		);
		expect(await Promise.race([cache.lookUp("slow", 5), muchLater])).toBeNull();
		await letGo();
		expect(cache.lookUp("slow", 5)).toEqual({ v: 1 });
	});

	it("while the database is away is not had, which is told of once; afterwards it is", async () => {
		const { stored, cache, failures } = room();
		stored.away = true;
		for (let i = 0; i < 5; i++)
			expect(await cache.lookUp(`unit-${i}`, PATIENT)).toBeNull();
		expect(failures).toHaveLength(1);
		stored.away = false;
		expect(await cache.lookUp("unit-0", PATIENT)).toEqual({});
	});
});

describe("questions", () => {
	it("are so many under way at most, each of so many units; what waits goes when one has come back", async () => {
		const { stored, cache, held, hold, letGo } = room({
			mostItems: 3,
			mostFlights: 2,
		});
		hold();
		const units = Array.from({ length: 10 }, (_, i) => `unit-${i}`);
		const answers = units.map((unit) => cache.lookUp(unit, PATIENT));
		await turns();
		expect(stored.questions.map((some) => some.length)).toEqual([3, 3]);
		held.shift()?.();
		await turns();
		expect(stored.questions.map((some) => some.length)).toEqual([3, 3, 3]);
		await letGo();
		expect(await Promise.all(answers)).toEqual(units.map(() => ({})));
		expect(stored.questions.flat().sort()).toEqual([...units].sort());
		expect(cache.underWay).toBe(0);
	});

	it("that wait are bounded: beyond, nothing is asked and nobody waits", async () => {
		const { cache, hold, letGo } = room({ mostWaiting: 4 });
		hold();
		const asked = Array.from({ length: 4 }, (_, i) =>
			cache.lookUp(`unit-${i}`, PATIENT),
		);
		expect(cache.lookUp("one too many", PATIENT)).toBeNull();
		expect(cache.underWay).toBe(4);
		await letGo();
		await Promise.all(asked);
	});

	it("that all hang cost those who come later no time", async () => {
		const { cache, hold, letGo } = room({ mostFlights: 1 });
		hold();
		expect(await cache.lookUp("first", 5)).toBeNull();
		await new Promise((resolve) => setTimeout(resolve, 5));
		expect(cache.lookUp("first", 5)).toBeNull();
		expect(cache.lookUp("second", 5)).toBeNull();
		expect(cache.lookUp("patient", PATIENT)).toBeInstanceOf(Promise);
		await letGo();
		expect(cache.lookUp("first", 5)).toEqual({});
	});
});

describe("what is kept", () => {
	it("is the units used last, so many and so large at most", async () => {
		const { stored, cache } = room({ mostUnits: 3 });
		for (const unit of ["a", "b", "c"]) await cache.lookUp(unit, PATIENT);
		cache.lookUp("a", PATIENT);
		await cache.lookUp("d", PATIENT);
		expect(cache.size).toBe(3);
		expect(cache.lookUp("a", PATIENT)).toEqual({});
		expect(cache.lookUp("b", PATIENT)).toBeInstanceOf(Promise);
		await turns();
		expect(stored.questions.flat()).toEqual(["a", "b", "c", "d", "b"]);

		const small = room({ mostBytes: 10_000 });
		for (let i = 0; i < 50; i++) {
			await small.stored.put(`unit-${i}`, { text: "x".repeat(900) });
			await small.cache.lookUp(`unit-${i}`, PATIENT);
		}
		expect(small.cache.bytes).toBeLessThanOrEqual(10_000);
		expect(small.cache.size).toBe(8);
	});

	it("is what was put here, at once, whatever older answer is on its way", async () => {
		const { stored, cache, hold, letGo } = room();
		hold();
		const before = cache.lookUp("unit", PATIENT);
		await turns();
		cache.put("unit", await stored.put("unit", { v: 2 }));
		expect(cache.lookUp("unit", PATIENT)).toEqual({ v: 2 });
		await letGo();
		expect(await before).toEqual({ v: 2 });
		expect(cache.lookUp("unit", PATIENT)).toEqual({ v: 2 });
	});

	it("is no older than a change elsewhere, but is not asked for again where it is newer", async () => {
		const { clock, stored, cache } = room();
		const { updatedAt } = await stored.put("unit", { v: 1 });
		await cache.lookUp("unit", PATIENT);
		cache.forgetOlder("unit", updatedAt);
		expect(cache.lookUp("unit", PATIENT)).toEqual({ v: 1 });
		clock.advance(10);
		const later = await stored.put("unit", { v: 2 });
		cache.forgetOlder("unit", later.updatedAt);
		expect(await cache.lookUp("unit", PATIENT)).toEqual({ v: 2 });
	});

	for (const [how, forget] of [
		["by its name", (cache: ProfileCache) => cache.forget("gone")],
		["with all others", (cache: ProfileCache) => cache.forgetAll()],
		[
			"by the mark of its keyed hash",
			(cache: ProfileCache) =>
				cache.forgetErased({
					mark: (unit) => unit.length,
					marks: new Set(["gone".length]),
				}),
		],
	] as const)
		it(`is forgotten ${how}, also what is on its way to here`, async () => {
			const { stored, cache, hold, letGo } = room();
			await stored.put("gone", { v: 1 });
			await stored.put("stays!", { v: 2 });
			await cache.lookUp("gone", PATIENT);
			await cache.lookUp("stays!", PATIENT);
			stored.remove("gone");
			await forget(cache);
			expect(await cache.lookUp("gone", PATIENT)).toEqual({});
			expect(await cache.lookUp("stays!", PATIENT)).toEqual({ v: 2 });

			await stored.put("gone", { v: 3 });
			await forget(cache);
			hold();
			const asked = cache.lookUp("gone", PATIENT);
			await turns();
			stored.remove("gone");
			await forget(cache);
			const after = cache.lookUp("gone", PATIENT);
			await letGo();
			expect(await Promise.all([asked, after])).toEqual([{}, {}]);
			expect(cache.lookUp("gone", PATIENT)).toEqual({});
		});

	it("others' units are hashed once each, and not at all before anybody was erased", async () => {
		const { cache } = room();
		const hashed: string[] = [];
		const mark = (unit: string) => {
			hashed.push(unit);
			return unit.length;
		};
		await cache.lookUp("aa", PATIENT);
		await cache.forgetErased({ mark, marks: new Set() });
		expect(hashed).toEqual([]);
		for (let i = 0; i < 3; i++)
			await cache.forgetErased({ mark, marks: new Set([7]) });
		expect(hashed).toEqual(["aa"]);
	});
});

/** What may happen, in any order, while answers are let go at any time. */
const UNITS = ["a", "b", "c", "d"];
const step = fc.tuple(
	fc.constantFrom(
		"ask",
		"ask",
		"ask",
		"put here",
		"put elsewhere",
		"erase",
		"go",
	),
	fc.constantFrom(...UNITS),
);

it("never answers with what a put here, an erasure here or news from elsewhere had replaced before it was asked", async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
			const { clock, stored, cache, held, hold, letGo } = room({
				mostUnits: 3,
				mostItems: 2,
			});
			hold();
			/** What the unit had, one after another; 0 for no profile. */
			const history = new Map(UNITS.map((unit) => [unit, [0]]));
			const answers: Promise<readonly [number, readonly number[]]>[] = [];
			let version = 0;
			const ask = (unit: string) => {
				const had = history.get(unit) ?? [];
				const from = had.length - 1;
				const asked = Promise.resolve(cache.lookUp(unit, PATIENT));
				answers.push(
					asked.then((values) => [
						(values?.v as number | undefined) ?? 0,
						had.slice(from),
					]),
				);
			};
			for (const [what, unit] of steps) {
				clock.advance(1);
				if (what === "ask") ask(unit);
				else if (what === "erase") {
					stored.remove(unit);
					cache.forget(unit);
					history.get(unit)?.push(0);
				} else if (what === "go") {
					held.shift()?.();
					await turns(2);
				} else {
					const profile = await stored.put(unit, { v: ++version });
					if (what === "put here") cache.put(unit, profile);
					else cache.forgetOlder(unit, profile.updatedAt);
					history.get(unit)?.push(version);
				}
				expect(cache.size).toBeLessThanOrEqual(3);
			}
			for (const unit of UNITS) ask(unit);
			await letGo();
			for (const [v, allowed] of await Promise.all(answers))
				expect(allowed).toContain(v);
			expect(cache.underWay).toBe(0);
		}),
		{ numRuns: 500 },
	);
});
