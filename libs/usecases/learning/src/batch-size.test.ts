import { describe, expect, it } from "vitest";
import { BatchSize } from "./batch-size.js";

/** So many batches that were as full as asked for. */
function full(
	size: BatchSize,
	times: number,
	perMessage: number,
	rate: number,
) {
	for (let i = 0; i < times; i++) {
		const messages = Math.max(1, Math.ceil(size.items / perMessage));
		const items = messages * perMessage;
		size.learned({ messages, items, seconds: items / rate });
	}
}

describe("the size of a learner's batches", () => {
	it("grows under a backlog as long as batches are quick, to a bound", () => {
		const size = new BatchSize(2_000);
		const first = size.items;
		full(size, 1, 1, 100_000);
		expect(size.items).toBeGreaterThan(first);
		full(size, 50, 1, 100_000);
		expect(size.items).toBe(5_000);
		expect(size.messages).toBe(2_000);
	});

	it("stays where batches are not full: waiting to fill them would only make outcomes wait", () => {
		const size = new BatchSize(2_000);
		const first = size.items;
		for (let i = 0; i < 100; i++)
			size.learned({ messages: 3, items: 3, seconds: 0.005 });
		expect(size.items).toBe(first);
	});

	it("shrinks while batches are slow, to a bound, and so holds a batch near a second", () => {
		const size = new BatchSize(2_000);
		full(size, 50, 1, 100_000);
		full(size, 4, 1, 1_000);
		expect(size.items).toBeLessThanOrEqual(1_000);
		full(size, 50, 1, 10);
		expect(size.items).toBe(200);
	});

	it("halves with every failure, to a bound, and grows again", () => {
		const size = new BatchSize(2_000);
		const first = size.items;
		size.failed();
		expect(size.items).toBe(first / 2);
		for (let i = 0; i < 20; i++) size.failed();
		expect(size.items).toBe(200);
		full(size, 50, 1, 100_000);
		expect(size.items).toBe(5_000);
	});

	it("is counted in items: packs of 200 are pulled by the dozen, single events by the thousand", () => {
		const packs = new BatchSize(2_000);
		full(packs, 50, 200, 100_000);
		expect(packs.messages).toBeGreaterThanOrEqual(25);
		expect(packs.messages).toBeLessThanOrEqual(26);
		full(packs, 50, 1, 100_000);
		expect(packs.messages).toBe(2_000);
	});

	it("never asks for nothing", () => {
		const size = new BatchSize(2_000);
		full(size, 50, 20_000, 100);
		expect(size.messages).toBe(1);
	});
});
