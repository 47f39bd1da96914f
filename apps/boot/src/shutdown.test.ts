import { describe, expect, it } from "vitest";
import { Shutdown } from "./shutdown.js";

const bounds = { stepMs: 50, wholeMs: 120, leastMs: 1 };
const never = () => new Promise<void>(() => {});

function shutdown(within = bounds) {
	const said: string[] = [];
	const words = {
		failed: (step: string, error: unknown) =>
			void said.push(`${step}: ${String(error)}`),
		late: (step: string) => void said.push(`${step} is late`),
	};
	const undone: string[] = [];
	const undo = (name: string) => async () => void undone.push(name);
	return { of: new Shutdown(words, within), said, undone, undo };
}

describe("a shutdown", () => {
	it("undoes the last step first, once, whoever asks", async () => {
		const { of, undone, undo } = shutdown();
		of.add("database", undo("database"));
		of.add("door", undo("door"));
		expect(await Promise.all([of.run(), of.run()])).toEqual([true, true]);
		expect(undone).toEqual(["door", "database"]);
	});

	it("goes on after a step that fails, also one that throws at once, and says so", async () => {
		const { of, said, undone, undo } = shutdown();
		of.add("database", undo("database"));
		of.add("stream", () => Promise.reject("gone"));
		of.add("door", () => {
			throw "shut";
		});
		expect(await of.run()).toBe(true);
		expect(said).toEqual(["door: shut", "stream: gone"]);
		expect(undone).toEqual(["database"]);
	});

	it("leaves a step that does not end as it is, says so, and tells its caller", async () => {
		const { of, said, undone, undo } = shutdown();
		of.add("database", undo("database"));
		of.add("door", never);
		expect(await of.run()).toBe(false);
		expect(said).toEqual(["door is late"]);
		expect(undone).toEqual(["database"]);
	});

	it("ends though every step hangs: together they have no more time than the whole", async () => {
		const { of, said } = shutdown({ ...bounds, stepMs: 60_000 });
		const steps = Array.from({ length: 20 }, (_, i) => `step ${i}`);
		for (const step of steps) of.add(step, never);
		expect(await of.run()).toBe(false);
		expect(said).toEqual(steps.reverse().map((step) => `${step} is late`));
	});
});
