import { describe, expect, it } from "vitest";
import { Coalesced } from "../src/coalesce.js";

/** A task whose runs a test ends one by one. */
function gated() {
	const ends: (() => void)[] = [];
	let most = 0;
	let running = 0;
	const task = () =>
		new Promise<void>((resolve) => {
			most = Math.max(most, ++running);
			ends.push(() => {
				running--;
				resolve();
			});
		});
	return { ends, task, most: () => most };
}
const breath = () => new Promise((resolve) => setImmediate(resolve));

describe("coalesced runs", () => {
	it("are never two at once, and those asked for meanwhile become one", async () => {
		const { ends, task, most } = gated();
		const coalesced = new Coalesced(task);
		const first = coalesced.run();
		const others = [coalesced.run(), coalesced.run(), coalesced.run()];
		ends[0]?.();
		await first;
		const late = coalesced.run();
		await breath();
		expect(ends).toHaveLength(2);
		ends[1]?.();
		await Promise.all(others);
		await breath();
		ends[2]?.();
		await late;
		expect(most()).toBe(1);
		expect(ends.length).toBeLessThanOrEqual(3);
	});

	it("go on after a failure, which only its callers hear of", async () => {
		let runs = 0;
		const coalesced = new Coalesced(async () => {
			if (++runs === 1) throw new Error("first");
		});
		const first = coalesced.run();
		const second = coalesced.run();
		await expect(first).rejects.toThrow("first");
		await second;
		await coalesced.run();
		expect(runs).toBe(3);
	});
});
