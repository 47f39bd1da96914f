import fc from "fast-check";
import { expect, test } from "vitest";
import { GRID, isOnGrid, quantise, toGrid } from "./dyadic.js";

test("rounding goes to the nearest multiple of 2⁻¹², halves toward +∞", () => {
	expect(quantise(0.5 * GRID)).toBe(GRID);
	expect(quantise(-0.5 * GRID)).toBe(-0);
	expect(quantise(1.5 * GRID)).toBe(2 * GRID);
	expect(quantise(-1.5 * GRID)).toBe(-GRID);
	expect(quantise(0.3)).toBe(1229 / 4096);
});

test("what the encoder does to a value lies on the grid within ±8", () => {
	fc.assert(
		fc.property(fc.double({ noNaN: true }), (v) => {
			const x = toGrid(v);
			expect(isOnGrid(x)).toBe(true);
			expect(Math.abs(x)).toBeLessThanOrEqual(8);
			if (Math.abs(v) <= 8)
				expect(Math.abs(x - v)).toBeLessThanOrEqual(GRID / 2);
		}),
	);
});
