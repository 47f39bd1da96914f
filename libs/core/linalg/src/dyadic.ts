/**
 * The grid on which sums are exact. A coordinate is a multiple of 2⁻¹² within ±8, so a product of two is a multiple of 2⁻²⁴ of at
 * most 2⁶, and 2²³ of those (8.4 million) add up in float64 without rounding, in any order.
 */
export const GRID = 2 ** -12;
const UNITS = 4096;

/** Largest absolute value of a coordinate. */
export const CLIP = 8;

/** Nearest multiple of 2⁻¹², halves toward +∞. */
export function quantise(v: number): number {
	return Math.round(v * UNITS) / UNITS;
}

/** Clipped to ±8, then rounded to the grid. */
export function toGrid(v: number): number {
	return quantise(Math.min(CLIP, Math.max(-CLIP, v)));
}

export function isOnGrid(v: number): boolean {
	return Number.isInteger(v * UNITS);
}
