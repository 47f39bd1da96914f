import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	chanceOfHigherShare,
	pooledShareTest,
	wilsonInterval,
} from "./index.js";

const seed = Number(process.env.SEED ?? 20261126);
const trials = fc
	.tuple(fc.nat(2_000), fc.nat(2_000))
	.map(([successes, failures]) => ({ n: successes + failures, successes }));
const mirrored = ({ n, successes }: { n: number; successes: number }) => ({
	n,
	successes: n - successes,
});

describe(`shares (SEED=${seed})`, () => {
	it("are higher in one group or in the other: both chances add up to 1", () => {
		fc.assert(
			fc.property(trials, trials, (a, b) => {
				const [up, down] = [
					chanceOfHigherShare(a, b),
					chanceOfHigherShare(b, a),
				];
				expect(up + down).toBeCloseTo(1, 9);
				expect(chanceOfHigherShare(mirrored(a), mirrored(b))).toBeCloseTo(
					down,
					9,
				);
			}),
			{ seed },
		);
	});

	it("that nothing is known of are each as likely to be the higher", () => {
		const none = { n: 0, successes: 0 };
		expect(chanceOfHigherShare(none, none)).toBeCloseTo(0.5, 12);
		// P(p_b > p_a) with p_b ~ Beta(2, 1): its mean.
		expect(chanceOfHigherShare(none, { n: 1, successes: 1 })).toBeCloseTo(
			2 / 3,
			12,
		);
	});

	it("of many trials compare as their normal approximation does", () => {
		const [a, b] = [
			{ n: 400_000, successes: 100_000 },
			{ n: 400_000, successes: 100_300 },
		];
		const z = Number(pooledShareTest(a, b)?.z);
		expect(z).toBeGreaterThan(0.7);
		expect(1 - Number(pooledShareTest(a, b)?.pValue) / 2).toBeCloseTo(
			chanceOfHigherShare(a, b),
			5,
		);
	});

	it("lie within their Wilson interval, which lies within [0, 1] and sees failures in a mirror", () => {
		fc.assert(
			fc.property(trials, ({ n, successes }) => {
				fc.pre(n > 0);
				const ends = wilsonInterval({ n, successes }, 0.05);
				const other = wilsonInterval(mirrored({ n, successes }), 0.05);
				const [low, high] = [Number(ends?.low), Number(ends?.high)];
				expect(low).toBeGreaterThanOrEqual(-1e-15);
				expect(high).toBeLessThanOrEqual(1 + 1e-15);
				expect(low - 1e-15).toBeLessThanOrEqual(successes / n);
				expect(high + 1e-15).toBeGreaterThanOrEqual(successes / n);
				expect(1 - Number(other?.high)).toBeCloseTo(low, 12);
				// Its ends are where the score test is just not refused.
				for (const p of [low, high].filter(
					(end) => end > 1e-9 && end < 1 - 1e-9,
				))
					expect(
						Math.abs(successes / n - p) / Math.sqrt((p * (1 - p)) / n),
					).toBeCloseTo(1.959963984540054, 6);
			}),
			{ seed },
		);
	});

	it("are not compared where there is nothing to compare", () => {
		const [none, all] = [
			{ n: 0, successes: 0 },
			{ n: 9, successes: 9 },
		];
		expect(wilsonInterval(none, 0.05)).toBeNull();
		expect(pooledShareTest(none, all)).toBeNull();
		expect(pooledShareTest(all, all)).toBeNull();
	});

	it("are refused where the counts cannot be, or are too many for the sum", () => {
		const one = { n: 1, successes: 1 };
		expect(() => wilsonInterval({ n: 2, successes: 3 }, 0.05)).toThrow(
			"not 3 of 2",
		);
		expect(() => pooledShareTest({ n: 2.5, successes: 1 }, one)).toThrow(
			"not 1 of 2.5",
		);
		expect(() => chanceOfHigherShare(one, { n: 1e7, successes: 6e6 })).toThrow(
			"stops at 5000000",
		);
	});
});
