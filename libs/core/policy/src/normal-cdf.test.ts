import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { normalCdf } from "./normal-cdf.js";
import { normalCdfBySeries } from "./normal-cdf-series.js";

/** Φ by mpmath 1.3 with 40 digits, rounded to float64; Abramowitz & Stegun, table 26.1, has 15 digits of most. */
const KNOWN: readonly (readonly [z: number, cdf: number])[] = [
	[-8, 6.220960574271784e-16],
	[-7, 1.279812543885835e-12],
	[-6, 9.86587645037698e-10],
	[-5, 2.866515718791939e-7],
	[-4, 3.1671241833119924e-5],
	[-3, 0.0013498980316300946],
	[-2.5, 0.006209665325776135],
	[-2, 0.02275013194817921],
	[-1.5, 0.06680720126885807],
	[-1, 0.15865525393145705],
	[-0.5, 0.3085375387259869],
	[-0.015625, 0.4937667805001103],
	[0, 0.5],
	[0.3, 0.6179114221889527],
	[0.5, 0.6914624612740131],
	[1, 0.8413447460685429],
	[1.96, 0.9750021048517795],
	[2, 0.9772498680518208],
	[2.999, 0.9986456634662729],
	[3, 0.9986501019683699],
	[3.5, 0.9997673709209645],
	[4, 0.9999683287581669],
	[5, 0.9999997133484281],
	[6, 0.9999999990134123],
];

const { erf } = createRequire(import.meta.url)("jstat") as {
	erf(x: number): number;
};

describe("Φ", () => {
	test("by series has a relative error below 1e-14, in the lower tail too", () => {
		for (const [z, cdf] of KNOWN)
			expect(Math.abs(normalCdfBySeries(z) / cdf - 1), `z = ${z}`).toBeLessThan(
				1e-14,
			);
	});

	test("from the table is within 1e-13 of known values", () => {
		for (const [z, cdf] of KNOWN.filter(([at]) => at > -7.5))
			expect(Math.abs(normalCdf(z) - cdf), `z = ${z}`).toBeLessThan(1e-13);
	});

	test("from the table is within 1e-13 of the series everywhere, and within 1e-12 of another library", () => {
		let table = 0;
		let library = 0;
		for (let z = -7.5; z < 9; z += 1 / 3_217) {
			const cdf = normalCdf(z);
			table = Math.max(table, Math.abs(cdf - normalCdfBySeries(z)));
			library = Math.max(
				library,
				Math.abs(cdf - (1 + erf(z / Math.SQRT2)) / 2),
			);
		}
		expect(table).toBeLessThan(1e-13);
		expect(library).toBeLessThan(1e-12);
	});

	test("from the table grows, stays within 0 and 1, and is flat beyond its ends", () => {
		const values = Array.from({ length: 20_000 }, (_, i) =>
			normalCdf(i / 1_024 - 9),
		);
		expect(
			values.filter((cdf, i) => i > 0 && cdf < (values[i - 1] as number)),
		).toEqual([]);
		expect(values[0]).toBeGreaterThan(0);
		expect(values.at(-1)).toBe(1);
		expect(normalCdf(Number.POSITIVE_INFINITY)).toBe(1);
		expect(normalCdf(-1e300)).toBe(normalCdf(-7.5));
		expect(normalCdf(-7.5)).toBeLessThan(1e-13);
	});
});
