import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	gammaExponentialBoundary,
	oneSidedMixtureBoundary,
	stitchedBoundary,
} from "./index.js";

const seed = Number(process.env.SEED ?? 20261126);
const clock = fc.double({ min: 0.01, max: 1e6, noNaN: true });
const alphas = fc.double({ min: 1e-6, max: 0.3, noNaN: true });

describe(`the gamma-exponential boundary (SEED=${seed})`, () => {
	it("has mpmath's digits at another scale than 1", () => {
		expect(gammaExponentialBoundary(100, 50, 0.01, 3)).toBeCloseTo(
			46.73572234808516,
			9,
		);
	});

	it("lies above the normal one, and comes down to it as the scale vanishes", () => {
		fc.assert(
			fc.property(clock, alphas, (v, alpha) => {
				const rho = v / 7;
				const normal = oneSidedMixtureBoundary(v, rho, alpha);
				const wide = gammaExponentialBoundary(v, rho, alpha, Math.sqrt(v));
				const narrow = gammaExponentialBoundary(
					v,
					rho,
					alpha,
					Math.sqrt(v) / 50,
				);
				expect(wide).toBeGreaterThan(narrow);
				expect(narrow / normal).toBeGreaterThan(1);
				expect(narrow / normal).toBeLessThan(1.06);
			}),
			{ seed },
		);
	});

	it("scales with the unit of S", () => {
		fc.assert(
			fc.property(clock, alphas, (v, alpha) => {
				const u = gammaExponentialBoundary(v, v / 3, alpha, 1);
				const tenfold = gammaExponentialBoundary(
					100 * v,
					(100 * v) / 3,
					alpha,
					10,
				);
				expect(tenfold / u).toBeCloseTo(10, 7);
			}),
			{ seed },
		);
	});
});

describe("the stitched boundary", () => {
	const plan = { eta: 2, s: 1.4, c: 0 };

	it("is flat up to where its first epoch begins and rises from there", () => {
		expect(stitchedBoundary(0, 10, 0.05)).toBe(stitchedBoundary(10, 10, 0.05));
		expect(stitchedBoundary(11, 10, 0.05)).toBeGreaterThan(
			stitchedBoundary(10, 10, 0.05),
		);
	});

	it("grows like √(v log log v): in the very long run it is below any mixture", () => {
		expect(stitchedBoundary(1e6, 10, 0.05)).toBeGreaterThan(
			oneSidedMixtureBoundary(1e6, 1e5, 0.05),
		);
		expect(stitchedBoundary(1e300, 10, 0.05)).toBeLessThan(
			oneSidedMixtureBoundary(1e300, 2, 0.05),
		);
	});

	it("is that of theorem 1 for a sub-gamma sum", () => {
		// k₁, k₂ and ℓ by hand for η = 4, s = 2: ζ(2) = π²/6.
		const [v, m, alpha, c] = [20, 5, 0.1, 1.5];
		const l =
			2 * Math.log(Math.log(16)) +
			Math.log(Math.PI ** 2 / 6 / (alpha * Math.log(4) ** 2));
		const k1 = (Math.SQRT2 + 1 / Math.SQRT2) / Math.SQRT2;
		const want = Math.sqrt(k1 * k1 * v * l + (1.5 * c * l) ** 2) + 1.5 * c * l;
		expect(stitchedBoundary(v, m, alpha, { eta: 4, s: 2, c })).toBeCloseTo(
			want,
			12,
		);
	});

	it("and the gamma-exponential one are refused for what cannot be", () => {
		expect(() => stitchedBoundary(1, 0, 0.05)).toThrow(
			"The begin of the first epoch must be positive",
		);
		expect(() => stitchedBoundary(1, 1, 0.05, { ...plan, eta: 1 })).toThrow(
			"η − 1 must be positive",
		);
		expect(() => stitchedBoundary(1, 1, 0.05, { ...plan, s: 1 })).toThrow(
			"s − 1 must be positive",
		);
		expect(() => gammaExponentialBoundary(1, 1, 2)).toThrow(
			"α must lie between 0 and 1",
		);
		expect(() => gammaExponentialBoundary(1, 1, 0.05, 0)).toThrow(
			"The scale c must be positive",
		);
	});
});
