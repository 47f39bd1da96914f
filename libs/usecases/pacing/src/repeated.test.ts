import { describe, expect, it } from "vitest";
import { Repeated } from "./repeated.js";

/** Resolves when the nth call begins, and lets a test end each. */
function calls() {
	const ends: ((error?: Error) => void)[] = [];
	const awaited = new Map<number, () => void>();
	const task = () =>
		new Promise<void>((resolve, reject) => {
			ends.push((error) => (error === undefined ? resolve() : reject(error)));
			awaited.get(ends.length)?.();
		});
	const begun = (nth: number) =>
		ends.length >= nth
			? Promise.resolve()
			: new Promise<void>((resolve) => awaited.set(nth, resolve));
	return { ends, task, begun };
}

describe("a repeated task", () => {
	it("is called again only once the call before has ended, also where that failed", async () => {
		const { ends, task, begun } = calls();
		const failures: unknown[] = [];
		const repeated = new Repeated(task, 1, (error) => failures.push(error));
		repeated.start();
		await begun(1);
		await new Promise((resolve) => setTimeout(resolve, 20));
		expect(ends).toHaveLength(1);
		ends[0]?.(new Error("away"));
		await begun(2);
		expect(failures).toEqual([new Error("away")]);
		ends[1]?.();
		await begun(3);
		ends[2]?.();
		await repeated.stop();
	});

	it("is stopped once its call under way has ended, and not called again", async () => {
		const { ends, task, begun } = calls();
		const repeated = new Repeated(task, 1, () => undefined);
		repeated.start();
		await begun(1);
		let isStopped = false;
		const stopping = repeated.stop().then(() => {
			isStopped = true;
		});
		await new Promise((resolve) => setImmediate(resolve));
		expect(isStopped).toBe(false);
		ends[0]?.();
		await stopping;
		await new Promise((resolve) => setTimeout(resolve, 20));
		expect(ends).toHaveLength(1);
	});
});
