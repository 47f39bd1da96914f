import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	absoluteEffect,
	type Effect,
	posteriorEffect,
	probabilityBest,
	relativeEffect,
	type SampleMean,
	sampleMean,
	sampleShare,
	sequentialLowerEnd,
	sequentialTest,
	welchTest,
} from "./index.js";

const seed = Number(process.env.SEED ?? 20261126);

const means: fc.Arbitrary<SampleMean> = fc.record({
	n: fc.integer({ min: 2, max: 1e6 }),
	mean: fc.double({ min: 0.01, max: 100, noNaN: true }),
	variance: fc.double({ min: 1e-6, max: 10, noNaN: true }),
});
const alphas = fc.double({ min: 1e-3, max: 0.4, noNaN: true });

describe(`the difference of two groups (SEED=${seed})`, () => {
	it("turns its sign when the groups change places, and keeps its error", () => {
		fc.assert(
			fc.property(means, means, (a, b) => {
				const [there, back] = [absoluteEffect(a, b), absoluteEffect(b, a)];
				expect(back.estimate).toBe(-there.estimate);
				expect(back.standardError).toBe(there.standardError);
				expect(back.dof).toBeCloseTo(there.dof, 6);
			}),
			{ seed },
		);
	});

	it("is, as a fraction, the same in any unit", () => {
		fc.assert(
			fc.property(means, means, (a, b) => {
				const scaled = ({ n, mean, variance }: SampleMean) => ({
					n,
					mean: 60 * mean,
					variance: 3_600 * variance,
				});
				const minutes = relativeEffect(a, b) as Effect;
				const seconds = relativeEffect(scaled(a), scaled(b)) as Effect;
				expect(seconds.estimate).toBeCloseTo(minutes.estimate, 9);
				expect(seconds.standardError / minutes.standardError).toBeCloseTo(1, 9);
			}),
			{ seed },
		);
	});

	it("has between the smaller group's n − 1 and both groups' n − 2 degrees of freedom", () => {
		fc.assert(
			fc.property(means, means, (a, b) => {
				const { dof } = absoluteEffect(a, b);
				expect(dof).toBeGreaterThanOrEqual(
					(Math.min(a.n, b.n) - 1) * (1 - 1e-12),
				);
				expect(dof).toBeLessThanOrEqual((a.n + b.n - 2) * (1 + 1e-12));
			}),
			{ seed },
		);
	});

	it("is significant exactly where its interval leaves 0 out, once or at all times", () => {
		fc.assert(
			fc.property(means, means, alphas, (a, b, alpha) => {
				const effect = absoluteEffect(a, b);
				for (const tested of [
					welchTest(effect, alpha),
					sequentialTest(effect, 5_000, alpha),
				]) {
					const p = Number(tested?.pValue);
					fc.pre(Math.abs(p / alpha - 1) > 1e-6);
					expect(Number(tested?.low) > 0 || Number(tested?.high) < 0).toBe(
						p < alpha,
					);
				}
			}),
			{ seed },
		);
	});

	it("is told less narrowly by who may look at any time", () => {
		fc.assert(
			fc.property(means, means, alphas, (a, b, alpha) => {
				const effect = absoluteEffect(
					{ ...a, n: a.n + 30 },
					{ ...b, n: b.n + 30 },
				);
				const [once, always] = [
					welchTest(effect, alpha),
					sequentialTest(effect, 5_000, alpha),
				];
				expect(Number(always?.low)).toBeLessThan(Number(once?.low));
				const lower = Number(sequentialLowerEnd(effect, 5_000, alpha / 2));
				expect(lower).toBeLessThan(Number(once?.low));
			}),
			{ seed },
		);
	});

	it("is not said where nothing varied, nor relative to nothing", () => {
		const same = { n: 10, mean: 1, variance: 0 };
		const effect = absoluteEffect(same, same);
		expect(effect.dof).toBe(18);
		expect(welchTest(effect, 0.05)).toBeNull();
		expect(sequentialTest(effect, 500, 0.05)).toBeNull();
		expect(sequentialLowerEnd(effect, 500, 0.05)).toBeNull();
		expect(posteriorEffect(effect, null, 0.05)).toBeNull();
		expect(relativeEffect({ ...same, mean: 0 }, same)).toBeNull();
		const lone = { n: 1, mean: 1, variance: 0 };
		expect(absoluteEffect(lone, { ...same, variance: 1 }).dof).toBe(9);
		expect(
			welchTest(absoluteEffect({ ...lone, variance: 1 }, same), 0.05),
		).toBeNull();
		expect(() => welchTest(effect, 1)).toThrow("α must lie between 0 and 1");
		expect(() => sequentialLowerEnd(effect, 500, 0.6)).toThrow("α must lie");
	});
});

describe(`the posterior of an effect (SEED=${seed})`, () => {
	const effects = fc.tuple(means, means).map(([a, b]) => absoluteEffect(a, b));

	it("weighs what either choice loses so that they differ by the mean", () => {
		fc.assert(
			fc.property(effects, alphas, (effect, alpha) => {
				const posterior = posteriorEffect(effect, { mean: 1, sd: 2 }, alpha);
				const { mean, lossOfA, lossOfB } = posterior ?? {
					mean: 0,
					lossOfA: 1,
					lossOfB: 0,
				};
				expect(lossOfA - lossOfB).toBeCloseTo(mean, 9);
				expect(Math.min(lossOfA, lossOfB)).toBeGreaterThanOrEqual(0);
			}),
			{ seed },
		);
	});

	it("is the data's under a prior that says nothing, the prior's under data that say nothing", () => {
		const effect = { estimate: 2, standardError: 0.5, dof: 50, n: 52 };
		const flat = posteriorEffect(effect, null, 0.05);
		const vague = posteriorEffect(effect, { mean: -7, sd: 1e8 }, 0.05);
		expect(vague?.mean).toBeCloseTo(Number(flat?.mean), 9);
		expect(vague?.low).toBeCloseTo(Number(flat?.low), 9);
		const blind = posteriorEffect(
			{ ...effect, standardError: 1e8 },
			{ mean: -7, sd: 2 },
			0.05,
		);
		expect(blind?.mean).toBeCloseTo(-7, 9);
		expect(blind?.sd).toBeCloseTo(2, 9);
		expect(() => posteriorEffect(effect, { mean: 0, sd: 0 }, 0.05)).toThrow(
			"The prior's standard deviation must be positive",
		);
	});
});

describe("a sample mean", () => {
	it("is that of the observations, with the variance of the mean", () => {
		const x = [3, 5, 10];
		expect(sampleMean(3, 18, 134)).toEqual({ n: 3, mean: 6, variance: 13 / 3 });
		expect(x.reduce((sum, value) => sum + (value - 6) ** 2, 0) / 2).toBe(13);
	});

	it("needs two observations, a share one trial; what cannot be is refused", () => {
		expect(sampleMean(1, 5, 25)).toBeNull();
		expect(sampleShare(0, 0)).toBeNull();
		expect(sampleShare(4, 1)).toEqual({
			n: 4,
			mean: 0.25,
			variance: 0.1875 / 4,
		});
		expect(() => sampleShare(3, 4)).toThrow(
			"more successes (4) than trials (3)",
		);
		expect(() => sampleMean(3, Number.NaN, 1)).toThrow(
			"The sum must be a finite number",
		);
	});
});

describe("the chance to be best", () => {
	it("of two arms is Φ of their distance, and of more adds up to 1", () => {
		const [a, b] = [
			{ n: 10, mean: 1, variance: 9 },
			{ n: 10, mean: 5, variance: 16 },
		];
		const z = (
			posteriorEffect(absoluteEffect(b, a), null, 0.05) as {
				chanceAbove0: number;
			}
		).chanceAbove0;
		expect(probabilityBest([a, b])[0]).toBeCloseTo(z, 9);
		const three = probabilityBest([a, b, { n: 5, mean: 3, variance: 1 }]);
		expect(three.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
	});
});
