import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	type ArmScore,
	addScore,
	armValue,
	emptyScores,
	LEAST_DRAWS,
	type ScoreSums,
	subtractScore,
} from "./arm-value.js";

function sumsOf(scores: readonly ArmScore[]): ScoreSums {
	const sums = emptyScores();
	for (const score of scores) addScore(sums, score);
	return sums;
}

/** `draws` rows of p = ½ and h = ½ that drew the arm, rewards 0 and 1 in turn, and as many that drew another. */
function evenRows(draws: number): ArmScore[] {
	return Array.from({ length: draws }, (_, i) => [
		{ h: 0.5, p: 0.5, model: 0.5, reward: i % 2 },
		{ h: 0.5, p: 0.5, model: 0.5, reward: null },
	]).flat();
}

const scores = fc.record({
	h: fc.double({ min: 1e-3, max: 1, noNaN: true }),
	p: fc.double({ min: 1e-3, max: 1, noNaN: true }),
	model: fc.double({ min: -1, max: 1, noNaN: true }),
	reward: fc.option(fc.double({ min: -1, max: 1, noNaN: true })),
});

describe("scores of an arm", () => {
	it("add up to what is computed by hand", () => {
		const sums = sumsOf([
			// s = ½ + (1 − ½)/¼ = 2.5; w = ½/¼ = 2.
			{ h: 0.5, p: 0.25, model: 0.5, reward: 1 },
			// s = ¼, no draw.
			{ h: 0.25, p: 0.5, model: 0.25, reward: null },
		]);
		expect(sums).toEqual({
			rows: 2,
			draws: 1,
			h: 0.75,
			hs: 1.25 + 0.0625,
			hh: 0.25 + 0.0625,
			hhs: 0.625 + 0.015625,
			hhss: 1.5625 + 0.00390625,
			w: 2,
			ww: 4,
		});
	});

	it("have the arm's own reward as their mean over draws, whatever the propensity and the model", () => {
		fc.assert(
			fc.property(scores, ({ p, model, h, reward }) => {
				const R = reward ?? 0;
				const drawn = sumsOf([{ h, p, model, reward: R }]).hs / h;
				const other = sumsOf([{ h, p, model, reward: null }]).hs / h;
				expect(p * drawn + (1 - p) * other).toBeCloseTo(R, 9);
			}),
		);
	});

	it("come out again as they went in", () => {
		fc.assert(
			fc.property(
				fc.array(scores, { maxLength: 30 }),
				fc.array(scores, { maxLength: 30 }),
				(kept, erased) => {
					const sums = sumsOf([...kept, ...erased]);
					for (const score of erased) subtractScore(sums, score);
					const want = sumsOf(kept);
					const size = sumsOf([...kept, ...erased].map(inAbsolute));
					expect(sums.rows).toBe(want.rows);
					expect(sums.draws).toBe(want.draws);
					for (const name of Object.keys(want) as (keyof ScoreSums)[])
						expect(Math.abs(sums[name] - want[name])).toBeLessThanOrEqual(
							1e-13 * size[name],
						);
				},
			),
		);
	});

	/** A score whose sums bound those of `score` from above, so that rounding can be measured against them. */
	function inAbsolute({ h, p, reward }: ArmScore): ArmScore {
		return { h, p, model: 1, reward: reward === null ? null : 3 };
	}

	it("refuse what no row can hold, and stay as they were", () => {
		const good = { h: 0.5, p: 0.5, model: 0.5, reward: 1 };
		for (const wrong of [
			{ p: 0 },
			{ p: 1.1 },
			{ p: Number.NaN },
			{ h: 0 },
			{ h: Number.POSITIVE_INFINITY },
			{ model: Number.NaN },
			{ reward: Number.NaN },
		]) {
			const sums = sumsOf([good]);
			expect(() => addScore(sums, { ...good, ...wrong })).toThrow(
				"A score needs a propensity in (0, 1]",
			);
			expect(sums).toEqual(sumsOf([good]));
		}
	});
});

describe("the value of an arm", () => {
	it("is the weighted mean of its scores with the confidence sequence of the formula", () => {
		// 100 draws of w = 1: n_eff = 100; s is 1.5, −0.5 or 0.5, mean 0.5; Σh = 100; SE² = ¼·100·1/100².
		const value = armValue(sumsOf(evenRows(100)), 0.05);
		const c = -2 * Math.log(0.05);
		const m = ((c + Math.log(1 + c)) * 100) / 500;
		const width = Math.sqrt((1 + 1 / m) * (Math.log(1 + m) + c));
		expect(value).toMatchObject({ kind: "shown", effectiveDraws: 100 });
		if (value.kind !== "shown") return;
		expect(value.value).toBeCloseTo(0.5, 12);
		expect(value.standardError).toBeCloseTo(0.05, 12);
		expect(value.low).toBeCloseTo(0.5 - width * 0.05, 12);
		expect(value.high).toBeCloseTo(0.5 + width * 0.05, 12);
	});

	it("is wider for a smaller α", () => {
		const sums = sumsOf(evenRows(100));
		const [wide, narrow] = [0.05 / 12, 0.05].map((alpha) =>
			armValue(sums, alpha),
		);
		if (wide?.kind !== "shown" || narrow?.kind !== "shown")
			throw new Error("withheld");
		expect(wide.high).toBeGreaterThan(narrow.high);
		expect(wide.low).toBeLessThan(narrow.low);
	});

	it("is withheld below fifty effective draws, with about how many decisions are missing", () => {
		expect(LEAST_DRAWS).toBe(50);
		expect(armValue(sumsOf(evenRows(50)), 0.05).kind).toBe("shown");
		// 49 draws in 98 rows: one more draw takes two more rows.
		expect(armValue(sumsOf(evenRows(49)), 0.05)).toEqual({
			kind: "withheld",
			effectiveDraws: 49,
			moreDecisions: 2,
			reason: "not enough evidence, about 2 more decisions",
		});
		// 4 draws in 8 rows: 46 more of them take 92 rows.
		expect(armValue(sumsOf(evenRows(4)), 0.05)).toMatchObject({
			moreDecisions: 92,
		});
	});

	it("counts draws of unequal weight as fewer than they are", () => {
		// 60 draws of w = 1 and one of w = 30: 90²/960 = 8.4.
		const sums = sumsOf([
			...evenRows(60),
			{ h: 0.5, p: 1 / 60, model: 0.5, reward: 1 },
		]);
		expect(armValue(sums, 0.05)).toMatchObject({
			kind: "withheld",
			effectiveDraws: 8100 / 960,
		});
	});

	it("says from propensities alone how long the first draws will take", () => {
		const sums = sumsOf(
			Array.from({ length: 100 }, () => ({
				h: 0.01,
				p: 0.01,
				model: 0,
				reward: null,
			})),
		);
		// One draw in 100 rows to be expected, 50 in 5,000.
		expect(armValue(sums, 0.05)).toMatchObject({
			effectiveDraws: 0,
			moreDecisions: 5_000,
			reason: "not enough evidence, about 5,000 more decisions",
		});
		expect(armValue(emptyScores(), 0.05)).toMatchObject({
			moreDecisions: null,
			reason: expect.stringContaining("no decision"),
		});
	});

	it("is withheld while all rewards were the same: an interval of no width would be a lie", () => {
		const same = Array.from({ length: 100 }, () => ({
			h: 0.3,
			p: 0.3,
			model: 0.1,
			reward: 0.1,
		}));
		expect(armValue(sumsOf(same), 0.05)).toMatchObject({
			kind: "withheld",
			reason: expect.stringMatching(
				/every reward of this arm was 0\.1 so far.*shown once rewards differ/,
			),
		});
	});

	it("waits where few rewards are all that its mean rests on, and says about how long", () => {
		// 4 rewards in 400 draws: 0.01 with SE √(0.01·0.99/400) = 0.005, two of them from zero; five take 6.3 times the rows.
		const rare = sumsOf(
			Array.from({ length: 400 }, (_, i) => ({
				h: 1,
				p: 1,
				model: 0,
				reward: i % 100 === 0 ? 1 : 0,
			})),
		);
		expect(armValue(rare, 0.05).kind).toBe("shown");
		expect(armValue(rare, 0.05, [-8, 8]).kind).toBe("shown");
		expect(armValue(rare, 0.05, [0, 1])).toMatchObject({
			kind: "withheld",
			moreDecisions: 2_100,
			reason:
				"not enough evidence, about 2,100 more decisions: nearly every reward of this arm was 0, so its value rests on a few events, and one more or less would move it a lot (it is 2.01 standard errors from 0, where 5 are needed)",
		});
		expect(armValue(rare, 0.05, [0.01, 1])).toMatchObject({
			kind: "withheld",
			moreDecisions: null,
		});
		expect(armValue(sumsOf(evenRows(100)), 0.05, [0, 1]).kind).toBe("shown");
	});

	it("needs an α between 0 and 1", () => {
		for (const alpha of [0, 1, Number.NaN])
			expect(() => armValue(emptyScores(), alpha)).toThrow(RangeError);
	});
});
