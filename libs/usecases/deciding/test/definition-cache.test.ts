import { afterEach, describe, expect, it, vi } from "vitest";
import { MemoryDefinitionSource } from "#adapters/memory";
import type { Definition } from "#core/experiment";
import { DefinitionCache } from "../src/index.js";
import { definition, experiment } from "./definitions.js";

const KEY = experiment.key;
afterEach(() => void vi.useRealTimers());

describe("the definition cache", () => {
	it("obeys what was current at its start, and a change once refreshed", async () => {
		const source = new MemoryDefinitionSource();
		source.set(definition());
		const cache = new DefinitionCache(source);
		await cache.start();
		expect(cache.get(KEY)?.id).toBe(1);
		source.set(definition({ id: 2, state: "paused" }));
		await cache.refresh();
		await cache.stop();
		expect(cache.get(KEY)).toMatchObject({ id: 2, state: "paused" });
		expect(cache.all()).toHaveLength(1);
	});

	it("does not start while the database is away", async () => {
		const source = new MemoryDefinitionSource();
		source.away = true;
		await expect(new DefinitionCache(source).start()).rejects.toThrow("away");
	});

	it("keeps what it knows when a later reading fails", async () => {
		const source = new MemoryDefinitionSource();
		source.set(definition());
		const cache = new DefinitionCache(source);
		await cache.refresh();
		source.away = true;
		await expect(cache.refresh()).rejects.toThrow("away");
		expect(cache.get(KEY)?.id).toBe(1);
	});

	it("hears of changes by polling, without being told", async () => {
		const source = new MemoryDefinitionSource();
		const cache = new DefinitionCache(source, { pollMs: 1 });
		await cache.start();
		source.set(definition());
		while (cache.get(KEY) === undefined)
			await new Promise((resolve) => setTimeout(resolve, 1));
		await cache.stop();
		expect(cache.get(KEY)?.id).toBe(1);
	});

	it("obeys a change made elsewhere within 2 s, also one that comes just after another one was read, where no posterior ever comes", async () => {
		vi.useFakeTimers();
		const source = new MemoryDefinitionSource();
		let changedAt: number | null = null;
		const slow = {
			all: async () => {
				const read = await source.all();
				if (read.length > 0 && changedAt === null) {
					changedAt = Date.now();
					source.set(definition({ id: 2 }));
				}
				await new Promise((resolve) => setTimeout(resolve, 100));
				return read;
			},
		};
		const never = new Promise<void>(() => {});
		const cache = new DefinitionCache(slow, { prepare: () => never });
		const started = cache.start();
		await vi.advanceTimersByTimeAsync(200);
		await started;
		source.set(definition({ id: 1 }));
		while (changedAt === null) await vi.advanceTimersByTimeAsync(1);
		expect(cache.get(KEY)).toBeUndefined();
		await vi.advanceTimersByTimeAsync(1_999);
		expect(cache.get(KEY)?.id).toBe(2);
		vi.useRealTimers();
		await cache.stop();
	});

	it("is not set back by an older answer", async () => {
		const source = new MemoryDefinitionSource();
		source.set(definition({ id: 7 }));
		const cache = new DefinitionCache(source);
		await cache.refresh();
		source.set(definition({ id: 6 }));
		await cache.refresh();
		expect(cache.get(KEY)?.id).toBe(7);
	});

	it("obeys a definition only after what it needs is prepared, and also where that fails", async () => {
		const source = new MemoryDefinitionSource();
		source.set(definition());
		const seen: (Definition | undefined)[] = [];
		const failures: unknown[] = [];
		const cache: DefinitionCache = new DefinitionCache(source, {
			prepare: async () => {
				seen.push(cache.get(KEY));
				throw new Error("no posterior");
			},
			failed: (error) => failures.push(error),
		});
		await cache.refresh();
		expect(seen).toEqual([undefined]);
		expect(failures).toHaveLength(1);
		expect(cache.get(KEY)?.id).toBe(1);
	});
});
