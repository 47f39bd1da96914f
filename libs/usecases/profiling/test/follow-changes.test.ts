import { describe, expect, it } from "vitest";
import { MemoryClock, MemoryProfiles } from "#adapters/memory";
import { eventually } from "../../../../test/contract/eventually.js";
import { FollowChanges, ProfileCache } from "../src/index.js";

/** A decider and who puts profiles elsewhere. */
async function room(mostChanged?: number) {
	const clock = new MemoryClock(1_000_000);
	const stored = new MemoryProfiles(clock, mostChanged);
	const cache = new ProfileCache(stored);
	const failures: unknown[] = [];
	const follow = new FollowChanges(
		stored,
		cache,
		(error) => void failures.push(error),
	);
	const known = async (unit: string) => cache.lookUp(unit, 20_000);
	const asked = () => stored.questions.flat();
	await follow.poll();
	return { clock, stored, cache, failures, follow, known, asked };
}

describe("a profile that is put elsewhere", () => {
	it("is used from the next poll on, and others are not asked for again", async () => {
		const { clock, stored, follow, known, asked } = await room();
		await stored.put("changes", { v: 1 });
		await stored.put("stays", { v: 1 });
		await known("changes");
		await known("stays");
		await known("appears");
		clock.advance(500);
		await stored.put("changes", { v: 2 });
		await stored.put("appears", { v: 2 });
		await follow.poll();
		expect(await known("changes")).toEqual({ v: 2 });
		expect(await known("appears")).toEqual({ v: 2 });
		expect(await known("stays")).toEqual({ v: 1 });
		for (let i = 0; i < 3; i++) {
			clock.advance(500);
			await follow.poll();
			await known("changes");
		}
		expect(asked()).toEqual([
			"changes",
			"stays",
			"appears",
			"changes",
			"appears",
		]);
	});

	it("and committed some seconds after its instant is not missed", async () => {
		const { clock, stored, follow, known } = await room();
		await known("late");
		clock.advance(4_000);
		await follow.poll();
		clock.advance(-4_000);
		await stored.put("late", { v: 1 });
		clock.advance(4_000);
		await follow.poll();
		expect(await known("late")).toEqual({ v: 1 });
	});

	it("with more than can be named makes all be forgotten", async () => {
		const { clock, stored, cache, follow, known } = await room(3);
		await known("other");
		clock.advance(500);
		for (let i = 0; i < 4; i++) await stored.put(`unit-${i}`, { v: i });
		await follow.poll();
		expect(cache.size).toBe(0);
	});

	it("makes all be forgotten where the database's clock went far back", async () => {
		const { clock, stored, cache, follow, known } = await room();
		await known("unit");
		clock.advance(-60_000);
		await stored.put("unit", { v: 1 });
		await follow.poll();
		expect(cache.size).toBe(0);
		clock.advance(500);
		await known("unit");
		await stored.put("unit", { v: 2 });
		await follow.poll();
		expect(await known("unit")).toEqual({ v: 2 });
	});

	it("while the database was away is heard of when it is back, and each failure is told", async () => {
		const { clock, stored, failures, follow, known } = await room();
		await known("unit");
		await follow.start();
		stored.away = true;
		await eventually(() => expect(failures.length).toBeGreaterThan(0));
		stored.away = false;
		clock.advance(300_000);
		await stored.put("unit", { v: 1 });
		await eventually(async () => expect(await known("unit")).toEqual({ v: 1 }));
		await follow.stop();
	});
});
