import { describe, expect, it } from "vitest";
import { BLOCK_ROWS, blockOf, blockWeight, weightOf } from "./score-weight.js";

describe("the weight of a score", () => {
	it("is one over the mean of 1/p of the earlier rows", () => {
		// 1/p: 2, 4, 12.
		expect(blockWeight({ rows: 3, sum: 18 })).toBe(1 / 6);
	});

	it("is the row's own propensity while there are none", () => {
		expect(blockWeight({ rows: 0, sum: 0 })).toBeNull();
		expect(weightOf(null, 0.25)).toBe(0.25);
		expect(weightOf(undefined, 0.25)).toBe(0.25);
		expect(weightOf(0.5, 0.25)).toBe(0.5);
	});
});

describe("the weight of a draw", () => {
	it("is five at most, however much the propensity has fallen since", () => {
		// Uniform over 12 arms so far, now at a floor of 1/600: h/p would be 50.
		expect(weightOf(1 / 12, 1 / 600) * 600).toBeCloseTo(5, 12);
		expect(weightOf(1 / 12, 1 / 60) * 60).toBeCloseTo(5, 12);
		expect(weightOf(1 / 12, 1 / 59)).toBe(1 / 12);
	});
});

describe("the blocks of a group's rows", () => {
	it("double until they have 512 rows and stay so", () => {
		const starts = Array.from(
			{ length: 4 * BLOCK_ROWS },
			(_, row) => row,
		).filter((row) => row === 0 || blockOf(row) !== blockOf(row - 1));
		expect(starts).toEqual([
			0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1536,
		]);
	});

	it("are numbered without a gap", () => {
		let last = -1;
		for (let row = 0; row < 3_000; row++) {
			const block = blockOf(row);
			expect(block - last === 0 || block - last === 1).toBe(true);
			last = block;
		}
		expect(blockOf(0)).toBe(0);
	});
});
