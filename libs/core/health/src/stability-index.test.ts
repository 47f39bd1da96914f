import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LEAST_SHARE, stabilityIndex } from "./index.js";

describe("the population stability index", () => {
	it("is what the formula gives by hand", () => {
		// ½, ½ → ¾, ¼: ¼ ln 1.5 + (−¼) ln 0.5 = ¼ ln 3.
		expect(stabilityIndex([50, 50], [75, 25])).toBeCloseTo(
			0.25 * Math.log(3),
			14,
		);
		// 0.2, 0.3, 0.5 → 0.3, 0.3, 0.4: 0.1 ln 1.5 + 0 + 0.1 ln 1.25 = 0.1 ln 1.875.
		expect(stabilityIndex([20, 30, 50], [300, 300, 400])).toBeCloseTo(
			0.0628608659422374,
			14,
		);
	});

	it("takes an empty bin for one in ten thousand", () => {
		// 1, 0 → 0.9, 0.1: 0.1 ln(1/0.9) + (0.1 − 0.0001) ln 1000.
		expect(stabilityIndex([500, 0], [90, 10])).toBeCloseTo(
			0.1 * Math.log(1 / 0.9) + (0.1 - LEAST_SHARE) * Math.log(1_000),
			14,
		);
	});

	it("cannot be told of nothing", () => {
		expect(stabilityIndex([0, 0], [1, 2])).toBeNaN();
		expect(stabilityIndex([1, 2], [0, 0])).toBeNaN();
	});

	const bins = fc
		.integer({ min: 1, max: 12 })
		.chain((length) =>
			fc.tuple(
				...[0, 1].map(() =>
					fc.array(fc.nat(10_000), { minLength: length, maxLength: length }),
				),
			),
		)
		.filter((sides) => sides.every((side) => side.some((n) => n > 0)));

	it("is never negative, 0 for equal shares, the same both ways, and blind to the order of bins and to how many were counted", () => {
		fc.assert(
			fc.property(bins, fc.integer({ min: 2, max: 9 }), (sides, times) => {
				const [before, now] = sides as [number[], number[]];
				const index = stabilityIndex(before, now);
				expect(index).toBeGreaterThanOrEqual(0);
				expect(stabilityIndex(before, before)).toBe(0);
				expect(stabilityIndex(now, before)).toBeCloseTo(index, 9);
				expect(
					stabilityIndex(before.toReversed(), now.toReversed()),
				).toBeCloseTo(index, 9);
				expect(
					stabilityIndex(
						before,
						now.map((n) => n * times),
					),
				).toBeCloseTo(index, 9);
			}),
		);
	});

	it("never sinks when a bin is parted in two", () => {
		fc.assert(
			fc.property(
				bins,
				fc.double({ min: 0, max: 1, noNaN: true }),
				fc.double({ min: 0, max: 1, noNaN: true }),
				(sides, p, q) => {
					const [before, now] = sides as [number[], number[]];
					// Beyond the least share, below which bins are not what they were.
					const raised = (side: number[]) => side.map((n) => n + 10_000);
					const part = ([first = 0, ...rest]: number[], share: number) => [
						1_000 + (first - 2_000) * share,
						1_000 + (first - 2_000) * (1 - share),
						...rest,
					];
					const coarse = stabilityIndex(raised(before), raised(now));
					const fine = stabilityIndex(
						part(raised(before), p),
						part(raised(now), q),
					);
					expect(fine).toBeGreaterThanOrEqual(coarse - 1e-12);
				},
			),
		);
	});
});
