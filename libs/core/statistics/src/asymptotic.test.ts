import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asymptoticP, asymptoticSequence, mixtureRho } from "./index.js";

const seed = Number(process.env.SEED ?? 20261126);
const runs = fc.record({
	t: fc.integer({ min: 2, max: 1e9 }),
	mean: fc.double({ min: -1e3, max: 1e3, noNaN: true }),
	sd: fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
});
const alphas = fc.double({ min: 1e-4, max: 0.3, noNaN: true });

describe(`an asymptotic confidence sequence (SEED=${seed})`, () => {
	it("becomes narrower with every observation as long as the spread stays", () => {
		fc.assert(
			fc.property(runs, alphas, (run, alpha) => {
				const rho = mixtureRho(1_000, alpha);
				const width = (t: number) => {
					const ends = asymptoticSequence({ ...run, t }, rho, alpha);
					return Number(ends?.high) - Number(ends?.low);
				};
				expect(width(2 * run.t)).toBeLessThan(width(run.t));
			}),
			{ seed },
		);
	});

	it("holds a mean exactly as long as the p-value of that mean is above α", () => {
		fc.assert(
			fc.property(
				runs,
				alphas,
				fc.double({ min: -4, max: 4, noNaN: true }),
				(run, alpha, away) => {
					const rho = mixtureRho(1_000, alpha);
					const hypothesis = run.mean + (away * run.sd) / Math.sqrt(run.t);
					const ends = asymptoticSequence(run, rho, alpha);
					const p = Number(asymptoticP(run, rho, hypothesis));
					fc.pre(Math.abs(p / alpha - 1) > 1e-6);
					expect(
						hypothesis > Number(ends?.low) && hypothesis < Number(ends?.high),
					).toBe(p > alpha);
				},
			),
			{ seed },
		);
	});

	it("says nothing before there is a spread, rather than an interval of no width", () => {
		const none = { t: 500, mean: 0, sd: 0 };
		expect(asymptoticSequence(none, 10, 0.05)).toBeNull();
		expect(asymptoticP(none, 10, 0.5)).toBeNull();
		expect(asymptoticSequence({ t: 1, mean: 1, sd: 0 }, 10, 0.05)).toBeNull();
	});

	it("refuses numbers that are none", () => {
		const run = { t: 10, mean: Number.NaN, sd: 1 };
		expect(() => asymptoticSequence(run, 10, 0.05)).toThrow(
			"The mean must be a finite number",
		);
		expect(() =>
			asymptoticSequence({ ...run, mean: 0, sd: -1 }, 10, 0.05),
		).toThrow("The standard deviation must be at least 0");
	});
});
