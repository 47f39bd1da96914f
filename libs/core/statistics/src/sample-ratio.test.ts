import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom, shuffled } from "../../../../test/support/random.js";
import {
	sampleRatioChiSquare,
	sampleRatioEvidence,
	sampleRatioP,
} from "./index.js";

const seed = Number(process.env.SEED ?? 20261126);

/** Two to five groups. */
const splits = fc.integer({ min: 2, max: 5 }).chain((groups) =>
	fc.record({
		counts: fc.array(fc.integer({ min: 0, max: 3_000 }), {
			minLength: groups,
			maxLength: groups,
		}),
		planned: fc.array(fc.double({ min: 0.05, max: 20, noNaN: true }), {
			minLength: groups,
			maxLength: groups,
		}),
		alpha0: fc.double({ min: 0.5, max: 1e5, noNaN: true }),
	}),
);

/** The p after each unit in turn. */
function pAlong(
	order: readonly number[],
	planned: readonly number[],
): number[] {
	const counts = planned.map(() => 0);
	let p = 1;
	return order.map((group) => {
		counts[group] = (counts[group] as number) + 1;
		p = sampleRatioP(p, counts, planned, 100);
		return p;
	});
}

describe(`the evidence that a split is not as planned (SEED=${seed})`, () => {
	it("is a martingale under the plan: the next unit changes the Bayes factor by nothing on average", () => {
		fc.assert(
			fc.property(splits, ({ counts, planned, alpha0 }) => {
				const now = sampleRatioEvidence(counts, planned, alpha0);
				const total = planned.reduce((sum, share) => sum + share, 0);
				const next = planned.reduce((sum, share, group) => {
					const then = counts.map((n, j) => n + Number(j === group));
					const change = sampleRatioEvidence(then, planned, alpha0) - now;
					return sum + (share / total) * Math.exp(change);
				}, 0);
				expect(next).toBeCloseTo(1, 7);
			}),
			{ seed },
		);
	});

	it("is the same for any order of the groups and for weights on another scale", () => {
		fc.assert(
			fc.property(splits, ({ counts, planned, alpha0 }) => {
				const evidence = sampleRatioEvidence(counts, planned, alpha0);
				const turned = sampleRatioEvidence(
					counts.toReversed(),
					planned.map((weight) => 7 * weight).toReversed(),
					alpha0,
				);
				expect(Math.abs(turned - evidence)).toBeLessThan(
					1e-8 * Math.max(1, Math.abs(evidence)),
				);
			}),
			{ seed },
		);
	});

	it("does not depend on the order in which units came, while the running p-value does", () => {
		const order = [...Array(300).fill(0), ...Array(300).fill(1)];
		const mixed = shuffled(order, seededRandom(seed));
		const [sorted, fair] = [pAlong(order, [1, 1]), pAlong(mixed, [1, 1])];
		expect(sampleRatioEvidence([300, 300], [1, 1], 100)).toBeLessThan(0);
		expect(sorted.at(-1)).toBeLessThan(1e-6);
		expect(fair.at(-1)).toBeGreaterThan(0.05);
	});

	it("once given stays given: p never rises again", () => {
		const p = pAlong(
			[...Array(200).fill(0), ...Array(5_000).fill([0, 1]).flat()],
			[1, 1],
		);
		for (let i = 1; i < p.length; i++)
			expect(p[i]).toBeLessThanOrEqual(p[i - 1] as number);
		expect(p.at(-1)).toBe(Math.min(...p));
	});

	it("is none before the first unit", () => {
		expect(sampleRatioEvidence([0, 0], [9, 1], 1e5)).toBeCloseTo(0, 9);
		expect(sampleRatioP(1, [0, 0], [9, 1], 1e5)).toBeCloseTo(1, 9);
	});

	it("is refused for a split that cannot be", () => {
		expect(() => sampleRatioEvidence([1], [1], 100)).toThrow(
			"at least two groups",
		);
		expect(() => sampleRatioEvidence([1, 2], [1], 100)).toThrow(
			"at least two groups",
		);
		expect(() => sampleRatioEvidence([1, 2.5], [1, 1], 100)).toThrow(
			"one count is 2.5",
		);
		expect(() => sampleRatioEvidence([1, -2], [1, 1], 100)).toThrow(
			"one count is -2",
		);
		expect(() => sampleRatioEvidence([1, 2], [1, 0], 100)).toThrow(
			"A planned share must be positive",
		);
		expect(() => sampleRatioEvidence([1, 2], [1, 1], 0)).toThrow(
			"α₀ must be positive",
		);
		expect(() => sampleRatioP(2, [1, 2], [1, 1], 100)).toThrow(
			"must lie in [0, 1]",
		);
	});
});

describe("χ² of a split", () => {
	it("is none without units, and 0 for a split exactly as planned", () => {
		expect(sampleRatioChiSquare([0, 0], [9, 1])).toBeNull();
		expect(sampleRatioChiSquare([90, 10], [9, 1])).toEqual({
			statistic: 0,
			dof: 1,
			pValue: 1,
		});
		expect(() => sampleRatioChiSquare([1, -1], [9, 1])).toThrow(
			"one count is -1",
		);
	});
});
