import { describe, expect, it } from "vitest";
import { type ArmDraws, drawBalances } from "./row-loss.js";

const SEED = 20261126;

/** mulberry32. */
function randomNumbers(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

const PROPENSITIES = [
	[0.25, 0.25, 0.25, 0.25],
	[0.97, 0.01, 0.01, 0.01],
	[0.01, 0.01, 0.01, 0.97],
];

/** Whether a run of rows, of which those that drew arm 3 are lost with probability `loss`, is ever found off. */
function isEverOff(random: () => number, rows: number, loss: number): boolean {
	const arms = [0, 1, 2, 3].map(() => ({ drawn: 0, expected: 0, variance: 0 }));
	for (let t = 1; t <= rows; t++) {
		const propensities = PROPENSITIES[Math.floor(3 * random())] as number[];
		let [u, arm] = [random(), 0];
		while (arm < 3 && u >= (propensities[arm] as number)) {
			u -= propensities[arm] as number;
			arm++;
		}
		if (arm === 3 && random() < loss) continue;
		arms.forEach((sums, a) => {
			const p = propensities[a] as number;
			sums.drawn += a === arm ? 1 : 0;
			sums.expected += p;
			sums.variance += p * (1 - p);
		});
		if (t % 500 === 0 && drawBalances(arms, 0.05).some(({ isOff }) => isOff))
			return true;
	}
	return false;
}

const share = (runs: number, rows: number, loss: number) => {
	const random = randomNumbers(SEED);
	const off = Array.from({ length: runs }, () => isEverOff(random, rows, loss));
	return off.filter(Boolean).length / runs;
};

describe("the balance of draws and propensities", () => {
	it("tells drawn from expected, with what it may come to by chance", () => {
		const even: ArmDraws = { drawn: 4_000, expected: 5_000, variance: 2_500 };
		const [low, none] = drawBalances(
			[even, { drawn: 0, expected: 0, variance: 0 }],
			0.001,
		);
		expect(low?.excess).toBe(-1_000);
		expect(low?.isOff).toBe(true);
		// Between 4 and 8 standard deviations of 50.
		expect(low?.atMost).toBeGreaterThan(200);
		expect(low?.atMost).toBeLessThan(400);
		expect(none?.isOff).toBe(false);
	});

	it("stays within √V times a few, for millions of rows too", () => {
		for (const variance of [1e2, 1e4, 1e6, 1e8]) {
			const draws = { drawn: 0, expected: 0, variance };
			const atMost = drawBalances([draws], 0.001)[0]?.atMost as number;
			expect(atMost / Math.sqrt(variance + 100)).toBeGreaterThan(3);
			expect(atMost / Math.sqrt(variance + 100)).toBeLessThan(7);
		}
	});

	it(`is seldom off where nothing is lost, and is where one arm's rows are (SEED=${SEED})`, () => {
		expect(share(100, 20_000, 0)).toBeLessThanOrEqual(0.05);
		expect(share(10, 40_000, 0.1)).toBe(1);
	});

	it("refuses what no rows add up to", () => {
		const draws = { drawn: 0, expected: 0, variance: -1 };
		expect(() => drawBalances([draws], 0.001)).toThrow("Σ p(1 − p)");
		expect(() => drawBalances([], 1)).toThrow(RangeError);
	});
});
