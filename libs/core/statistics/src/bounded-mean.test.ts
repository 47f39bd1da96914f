import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../../test/support/random.js";
import {
	empiricalBernsteinMixture,
	hedgedBetting,
	hoeffdingMixture,
	type Interval,
	mixtureRho,
	predictableEmpiricalBernstein,
	predictableHoeffding,
	rateSequence,
} from "./index.js";

const seed = Number(process.env.SEED ?? 20261126);

type Construction = (x: readonly number[], alpha: number) => Interval | null;
const constructions: [string, Construction][] = [
	["Hoeffding's mixture", (x, alpha) => hoeffdingMixture(x, 100, alpha)],
	[
		"the empirical Bernstein mixture",
		(x, alpha) => empiricalBernsteinMixture(x, 10, alpha),
	],
	["predictable Hoeffding", predictableHoeffding],
	["predictable empirical Bernstein", predictableEmpiricalBernstein],
	["hedged betting", hedgedBetting],
];

const observations = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
	minLength: 1,
	maxLength: 60,
});

describe.each(constructions)(`%s (SEED=${seed})`, (_, sequence) => {
	it("sees a mirrored series in a mirror", () => {
		fc.assert(
			fc.property(observations, (x) => {
				const here = sequence(x, 0.05);
				const there = sequence(
					x.map((value) => 1 - value),
					0.05,
				);
				expect(there === null).toBe(here === null);
				if (here === null || there === null) return;
				expect(there.low).toBeCloseTo(1 - here.high, 9);
				expect(there.high).toBeCloseTo(1 - here.low, 9);
			}),
			{ seed },
		);
	});

	it("stays within [0, 1], and is wider where it must be surer", () => {
		fc.assert(
			fc.property(observations, (x) => {
				const [sure, surer] = [sequence(x, 0.1), sequence(x, 0.001)];
				if (sure === null || surer === null) return;
				expect(surer.low).toBeGreaterThanOrEqual(0);
				expect(surer.high).toBeLessThanOrEqual(1);
				expect(surer.low).toBeLessThanOrEqual(sure.low + 1e-9);
				expect(surer.high).toBeGreaterThanOrEqual(sure.high - 1e-9);
			}),
			{ seed },
		);
	});

	it.each([
		["rare successes", 0.1, (u: number) => Number(u < 0.1)],
		["observations of little spread", 0.5, (u: number) => 0.45 + 0.1 * u],
		["a mean of a third", 1 / 3, (u: number) => u * u],
	])("ever misses the mean of %s in at most α of runs", (_kind, mean, draw) => {
		const [runs, alpha] = [300, 0.1];
		const random = seededRandom(seed);
		let missed = 0;
		for (let run = 0; run < runs; run++) {
			const x = Array.from({ length: 120 }, () => draw(random()));
			missed += Number(
				[2, 5, 10, 20, 40, 80, 120].some((t) => {
					const ends = sequence(x.slice(0, t), alpha);
					return ends === null || ends.low > mean || ends.high < mean;
				}),
			);
		}
		expect(missed).toBeLessThanOrEqual(
			runs * alpha + 2 * Math.sqrt(runs * alpha * (1 - alpha)),
		);
	});

	it("knows nothing before the first observation, and takes none from outside [0, 1]", () => {
		expect(sequence([], 0.05)).toEqual({ low: 0, high: 1 });
		expect(() => sequence([0.5, 1.2], 0.05)).toThrow(
			"Bounded observations lie in [0, 1]; one is 1.2",
		);
		expect(() => sequence([Number.NaN], 0.05)).toThrow("one is NaN");
		expect(() => sequence([0.5], 0)).toThrow("α must lie between 0 and 1");
	});
});

describe("hedged betting", () => {
	it("ends where one of the two who bet stands at 1/α", () => {
		const x = [0.2, 0.9, 0.4, 0.35, 0.1, 0.6, 0.3, 0.2, 0.5, 0.45, 0.4, 0.2];
		const ends = hedgedBetting(x, 0.2) as Interval;
		const capital = (series: readonly number[], m: number) => {
			let [sum, squares, variance, k] = [0.5, 0.25, 0.25, 0.5];
			series.forEach((value, i) => {
				const t = i + 1;
				const lambda = Math.sqrt(
					(2 * Math.log(2 / 0.2)) / (variance * t * Math.log(1 + t)),
				);
				k *= 1 + Math.min(lambda, 0.5 / m) * (value - m);
				sum += value;
				squares += (value - sum / (t + 1)) ** 2;
				variance = squares / (t + 1);
			});
			return k;
		};
		expect(capital(x, ends.low)).toBeCloseTo(5, 9);
		expect(
			capital(
				x.map((value) => 1 - value),
				1 - ends.high,
			),
		).toBeCloseTo(5, 9);
	});

	it("says that no mean is left when the mean has moved too far", () => {
		expect(
			hedgedBetting([...Array(50).fill(0.5), ...Array(200).fill(1)], 0.05),
		).toBeNull();
	});
});

describe(`the sequence of a rate (SEED=${seed})`, () => {
	const k = mixtureRho(200, 0.05) - 1;

	it("is that of the failures in a mirror, and holds the rate itself", () => {
		fc.assert(
			fc.property(fc.nat(2_000), fc.nat(2_000), (successes, failures) => {
				const trials = successes + failures;
				const yes = rateSequence(successes, trials, k, 0.05);
				const no = rateSequence(failures, trials, k, 0.05);
				expect(yes.low).toBeCloseTo(1 - no.high, 9);
				expect(yes.low).toBeLessThanOrEqual(successes / Math.max(1, trials));
				expect(yes.high).toBeGreaterThanOrEqual(
					successes / Math.max(1, trials),
				);
			}),
			{ seed },
		);
	});

	it("leaves 0 and 1 in as long as nothing speaks against them", () => {
		expect(rateSequence(0, 0, k, 0.05)).toEqual({ low: 0, high: 1 });
		expect(rateSequence(0, 300, k, 0.05).low).toBe(0);
		expect(rateSequence(0, 300, k, 0.05).high).toBeLessThan(0.05);
		expect(rateSequence(300, 300, k, 0.05).high).toBe(1);
	});

	it("ever misses a rate in at most α of runs that are looked at after every trial", () => {
		const [runs, alpha, rate] = [300, 0.1, 0.2];
		const random = seededRandom(seed);
		let missed = 0;
		for (let run = 0; run < runs; run++) {
			let [successes, everMissed] = [0, false];
			for (let t = 1; t <= 60; t++) {
				successes += Number(random() < rate);
				const { low, high } = rateSequence(successes, t, k, alpha);
				everMissed ||= low > rate || high < rate;
			}
			missed += Number(everMissed);
		}
		expect(missed).toBeLessThanOrEqual(
			runs * alpha + 2 * Math.sqrt(runs * alpha * (1 - alpha)),
		);
	});

	it("is refused for counts that cannot be", () => {
		expect(() => rateSequence(3, 2, k, 0.05)).toThrow("one count is -1");
		expect(() => rateSequence(0.5, 2, k, 0.05)).toThrow("one count is 0.5");
		expect(() => rateSequence(1, 2, 0, 0.05)).toThrow("α₀ must be positive");
	});
});
