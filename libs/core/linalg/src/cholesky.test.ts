import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
	cholesky,
	invertTriangle,
	NotPositiveDefinite,
	solve,
} from "./cholesky.js";
import {
	addOuter,
	packedIndex,
	packedLength,
	unpack,
} from "./packed-symmetric.js";

const entry = fc.double({ min: -8, max: 8, noNaN: true });
/** λI + Σ x xᵀ of some vectors: what the learner's sums look like. */
const positiveDefinite = fc.integer({ min: 1, max: 12 }).chain((d) =>
	fc
		.array(fc.array(entry, { minLength: d, maxLength: d }), { maxLength: 20 })
		.map((xs) => {
			const A = new Float64Array(packedLength(d));
			for (let i = 0; i < d; i++) A[packedIndex(i, i)] = 1;
			for (const x of xs) addOuter(A, 0, Float64Array.from(x), 1);
			return { d, A };
		}),
);

describe("the Cholesky factor", () => {
	test("solves A x = b and inverts A, for matrices like the learner's", () => {
		fc.assert(
			fc.property(positiveDefinite, ({ d, A }) => {
				const L = cholesky(A, d);
				const b = Float64Array.from({ length: d }, (_, i) => i - 1.5);
				const x = solve(L, d, b);
				const M = invertTriangle(L, d);
				const entry = (i: number, j: number) =>
					j > i ? 0 : (M[packedIndex(i, j)] as number);
				const inverse = (i: number, j: number) =>
					Array.from({ length: d }, (_, k) => entry(k, i) * entry(k, j)).reduce(
						(sum, term) => sum + term,
					);
				unpack(A, d).forEach((row, i) => {
					const product = row.reduce(
						(sum, a, j) => sum + a * (x[j] as number),
						0,
					);
					expect(product).toBeCloseTo(b[i] as number, 6);
					const identity = row.reduce(
						(sum, a, j) => sum + a * inverse(j, i),
						0,
					);
					expect(identity).toBeCloseTo(1, 6);
				});
			}),
		);
	});

	test("of a 2×2 matrix is the one in the textbook", () => {
		expect([...cholesky(Float64Array.from([4, 2, 10]), 2)]).toEqual([2, 1, 3]);
	});

	test("is refused for a matrix that is not positive definite, or not finite", () => {
		expect(() => cholesky(Float64Array.from([1, 2, 1]), 2)).toThrow(
			NotPositiveDefinite,
		);
		expect(() => cholesky(Float64Array.from([0]), 1)).toThrow(
			NotPositiveDefinite,
		);
		expect(() => cholesky(Float64Array.from([Number.NaN]), 1)).toThrow(
			NotPositiveDefinite,
		);
		expect(() =>
			cholesky(Float64Array.from([Number.POSITIVE_INFINITY]), 1),
		).toThrow(NotPositiveDefinite);
	});
});
