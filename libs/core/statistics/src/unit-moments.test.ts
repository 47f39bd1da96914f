import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	exactRatioOfSums,
	ratioOfSums,
	type UnitMoments,
} from "./unit-moments.js";

interface Unit {
	readonly n: number;
	readonly c: number;
}

function momentsOf(units: readonly Unit[]): UnitMoments<bigint> {
	const sum = (of: (unit: Unit) => number) =>
		units.reduce((total, unit) => total + BigInt(of(unit)), 0n);
	return {
		units: BigInt(units.length),
		n: sum(({ n }) => n),
		c: sum(({ c }) => c),
		nn: sum(({ n }) => n * n),
		nc: sum(({ n, c }) => n * c),
		cc: sum(({ c }) => c * c),
	};
}

const inNumbers = (moments: UnitMoments<bigint>) =>
	Object.fromEntries(
		Object.entries(moments).map(([name, value]) => [name, Number(value)]),
	) as unknown as UnitMoments;

/** Deng, Knoblich, Lu 2018, eq. (4), in two passes over the units. */
function inTwoPasses(units: readonly Unit[]): number {
	const U = units.length;
	const mean = (of: (unit: Unit) => number) =>
		units.reduce((total, unit) => total + of(unit), 0) / U;
	const [n, c] = [mean((unit) => unit.n), mean((unit) => unit.c)];
	const R = c / n;
	const over = U / (U - 1);
	const ss = {
		c: over * mean((unit) => (unit.c - c) ** 2),
		n: over * mean((unit) => (unit.n - n) ** 2),
		nc: over * mean((unit) => (unit.c - c) * (unit.n - n)),
	};
	return (ss.c - 2 * R * ss.nc + R * R * ss.n) / (U * n * n);
}

const groups = fc.array(
	fc.record({
		n: fc.integer({ min: 1, max: 50 }),
		c: fc.integer({ min: -100, max: 100 }),
	}),
	{ minLength: 2, maxLength: 40 },
);

describe("a ratio of sums over units", () => {
	it("is what the formula gives by hand", () => {
		// C/n: 1/2, 1/4, 3/4; R = ½; C − Rn: 0, −1, 1; Var = 3/2 · 2/10².
		const units = [
			{ n: 2, c: 1 },
			{ n: 4, c: 1 },
			{ n: 4, c: 3 },
		];
		const want = { units: 3, n: 10, ratio: 0.5 };
		for (const got of [
			ratioOfSums(inNumbers(momentsOf(units))),
			exactRatioOfSums(momentsOf(units)),
		]) {
			expect(got).toMatchObject(want);
			expect(got.variance).toBeCloseTo(0.03, 14);
		}
	});

	it("agrees with the delta method in two passes over the units", () => {
		fc.assert(
			fc.property(groups, (units) => {
				const want = inTwoPasses(units);
				const moments = momentsOf(units);
				expect(exactRatioOfSums(moments).variance).toBeCloseTo(want, 9);
				expect(ratioOfSums(inNumbers(moments)).variance).toBeCloseTo(want, 9);
			}),
		);
	});

	it("loses nothing to cancellation, however small the spread beside the mean", () => {
		// A thousand million listeners with C/n of 10⁹ but for two, which are one above and one below.
		const U = 1_000_000_000n;
		const C = 1_000_000_000n;
		const moments = {
			units: U,
			n: U,
			c: U * C,
			nn: U,
			nc: U * C,
			cc: U * C * C + 2n,
		};
		// Σ(C − Rn)² = 2: 28 digits below ΣC².
		const want = (Number(U) / (Number(U) - 1)) * (2 / Number(U) ** 2);
		expect(exactRatioOfSums(moments).variance / want).toBeCloseTo(1, 14);
	});

	it("takes decimal strings, and C in units of the grid", () => {
		const fine = {
			units: "2",
			n: "2",
			c: "6144",
			nn: "2",
			nc: "6144",
			cc: "20971520",
		};
		// C = 4096/4096 and 2048/4096.
		const got = exactRatioOfSums(fine, 2 ** -12);
		expect(got.ratio).toBe(0.75);
		expect(got.variance).toBeCloseTo((2 * (2 * 0.25 ** 2)) / 4, 15);
		expect(() => exactRatioOfSums({ ...fine, n: "2.5" })).toThrow(SyntaxError);
		expect(() => exactRatioOfSums({ ...fine, cc: "1" })).toThrow(
			'No units have the sums ["2","2","6144","2","6144","1"]',
		);
	});

	it("has half the variance with twice as many listeners of the same kind", () => {
		fc.assert(
			fc.property(groups, (units) => {
				const twice = [...units, ...units];
				const [once, doubled] = [units, twice].map((list) =>
					exactRatioOfSums(momentsOf(list)),
				);
				const U = units.length;
				expect(doubled?.ratio).toBe(once?.ratio);
				// Twice the units: half the variance, but for U/(U − 1).
				expect(doubled?.variance).toBeCloseTo(
					((once?.variance ?? 0) / 2) * ((2 * (U - 1)) / (2 * U - 1)),
					9,
				);
			}),
		);
	});

	it("has no variance with one unit, and none left by rounding where all units are alike", () => {
		expect(exactRatioOfSums(momentsOf([{ n: 3, c: 1 }])).variance).toBeNaN();
		const alike = momentsOf(
			Array.from({ length: 999 }, (_, i) => ({ n: 3 * (i + 1), c: i + 1 })),
		);
		expect(ratioOfSums(inNumbers(alike)).variance).toBe(0);
		expect(exactRatioOfSums(alike).variance).toBe(0);
	});
});
