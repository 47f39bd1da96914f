import { describe, expect, it } from "vitest";
import { quantile } from "./quantiles.js";
import { pick, poisson, sample, seededRandom } from "./random.js";

describe("seeded randomness", () => {
	it("is the same for the same seed, another for another, and spread evenly", () => {
		const first = Array.from({ length: 5 }, seededRandom("a"));
		expect(Array.from({ length: 5 }, seededRandom("a"))).toEqual(first);
		expect(Array.from({ length: 5 }, seededRandom("b"))).not.toEqual(first);
		const random = seededRandom("even");
		const tenths = Array.from({ length: 10 }, () => 0);
		for (let i = 0; i < 10_000; i += 1) tenths[Math.floor(random() * 10)]! += 1;
		// Binomial(10,000, 0.1): five standard deviations are 150.
		for (const count of tenths)
			expect(Math.abs(count - 1000)).toBeLessThan(150);
	});

	it("picks by weight and never what has none", () => {
		const random = seededRandom("pick");
		const picked = Array.from({ length: 4000 }, () =>
			pick({ a: 3, never: 0, b: 1 }, random),
		);
		expect(picked).not.toContain("never");
		expect(
			Math.abs(picked.filter((name) => name === "a").length - 3000),
		).toBeLessThan(140);
	});

	it("counts as Poisson does, up to a bound", () => {
		const random = seededRandom("poisson");
		const counts = Array.from({ length: 10_000 }, () =>
			poisson(2.5, 40, random),
		);
		const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
		const variance =
			counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) /
			counts.length;
		expect(Math.abs(mean - 2.5)).toBeLessThan(0.08);
		expect(Math.abs(variance - 2.5)).toBeLessThan(0.2);
		expect(poisson(1000, 8, random)).toBeLessThanOrEqual(8);
	});

	it("samples without replacement, every item as often", () => {
		const random = seededRandom("sample");
		const seen = new Map<number, number>();
		for (let i = 0; i < 3000; i += 1) {
			const taken = sample([0, 1, 2, 3, 4, 5], 3, random);
			expect(new Set(taken).size).toBe(3);
			for (const item of taken) seen.set(item, (seen.get(item) ?? 0) + 1);
		}
		for (const count of seen.values())
			expect(Math.abs(count - 1500)).toBeLessThan(140);
		expect(sample([1, 2], 3, random).sort()).toEqual([1, 2]);
	});
});

describe("quantile", () => {
	it("is the nearest rank, and 0 of nothing", () => {
		const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
		expect([0, 0.5, 0.95, 0.99, 1].map((q) => quantile(hundred, q))).toEqual([
			1, 50, 95, 99, 100,
		]);
		expect(quantile([], 0.5)).toBe(0);
	});
});
