import { describe, expect, it } from "vitest";
import { Together } from "./together.js";

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("Together", () => {
	it("handles what came in one turn at its end, in order", async () => {
		const handled: number[] = [];
		const together = new Together<number>((item) => handled.push(item));
		for (let item = 0; item < 5; item++) together.add(item);
		expect(handled).toEqual([]);
		await turn();
		expect(handled).toEqual([0, 1, 2, 3, 4]);
		together.add(5);
		await turn();
		expect(handled).toEqual([0, 1, 2, 3, 4, 5]);
	});

	it("lets other work through between the batches of very many, and handles each once, in order", async () => {
		const handled: number[] = [];
		const together = new Together<number>((item) => {
			handled.push(item);
			if (item === 10) together.add(1_000);
		});
		for (let item = 0; item < 1_000; item++) together.add(item);
		await turn();
		expect(handled.length).toBeGreaterThan(0);
		expect(handled.length).toBeLessThan(200);
		while (handled.length < 1_001) await turn();
		await turn();
		expect(handled).toEqual(Array.from({ length: 1_001 }, (_, item) => item));
	});
});
