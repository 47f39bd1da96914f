import { createHmac } from "node:crypto";
import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Policy } from "#core/experiment";
import { baselineDistribution } from "./baseline.js";
import { decayWeight } from "./decay.js";
import { draw } from "./draw.js";
import { bestArms, withFloor } from "./exploration.js";
import { distribution, distributionInSlices, isHeavy } from "./policy.js";
import { addObservation, emptySums, prepareArm } from "./posterior.js";
import { uniformFrom } from "./seeded-random.js";

const jstat = createRequire(import.meta.url)("jstat") as {
	normal: { cdf(x: number, mean: number, sd: number): number };
};
const linucb: Policy = { kind: "linucb", alpha: 0.5, ridge: 1, explore: 0.1 };
const x = Float64Array.from([1, 0.5]);
const cold = prepareArm(emptySums(2), 2, 1);
function taught(reward: number) {
	const sums = emptySums(2);
	for (let i = 0; i < 50; i++) addObservation(sums, 2, x, 1, reward);
	return prepareArm(sums, 2, 1);
}
const sum = (values: Float64Array) =>
	values.reduce((total, value) => total + value, 0);

describe("the propensities of LinUCB", () => {
	test("are (1 − ε)·[best]/|best| + ε/K", () => {
		const { propensities, best } = distribution(
			linucb,
			["a", "b", "c"],
			[taught(1), taught(0), taught(0.2)],
			x,
		);
		expect(best).toEqual([0]);
		expect([...propensities].map((p) => p.toFixed(12))).toEqual([
			"0.933333333333",
			"0.033333333333",
			"0.033333333333",
		]);
	});

	test("are shared by arms never tried, since their scores are equal", () => {
		const { propensities } = distribution(
			{ ...linucb, explore: 0 },
			["a", "b"],
			[cold, cold],
			x,
		);
		expect([...propensities]).toEqual([0.5, 0.5]);
	});

	test("sum to 1 within 1e-12 and respect the floor, whatever the scores, the ties and the floor", () => {
		fc.assert(
			fc.property(
				fc.array(
					fc.oneof(
						fc.constantFrom(0, 1, 1 + 5e-10),
						fc.double({ min: -5, max: 5, noNaN: true }),
					),
					{ minLength: 1, maxLength: 60 },
				),
				fc.double({ min: 0, max: 1, noNaN: true }),
				(scores, epsilon) => {
					const p = withFloor(
						bestArms(Float64Array.from(scores)),
						scores.length,
						epsilon,
					);
					expect(Math.abs(sum(p) - 1)).toBeLessThanOrEqual(1e-12);
					const top = Math.max(...scores);
					const tied = p.filter((_, a) => (scores[a] as number) >= top - 1e-9);
					expect(new Set(tied).size).toBe(1);
					const others = p.filter((_, a) => (scores[a] as number) < top - 1e-9);
					expect(others.every((q) => q === epsilon / scores.length)).toBe(true);
					expect(Math.min(...p)).toBeGreaterThanOrEqual(
						epsilon / scores.length,
					);
				},
			),
		);
	});

	test("give a single arm everything, whatever the floor", () => {
		for (const explore of [0, 0.05, 0.1, 1 / 3, 1])
			expect([
				...distribution({ ...linucb, explore }, ["a"], [cold], x).propensities,
			]).toEqual([1]);
	});

	test("are 1/K each where the floor is 1, and all on the best where it is 0", () => {
		const arms = ["a", "b", "c"];
		const models = [taught(0), taught(1), cold];
		const greedy = { ...linucb, alpha: 0 };
		const p = (explore: number) => [
			...distribution({ ...greedy, explore }, arms, models, x).propensities,
		];
		expect(p(1)).toEqual([1 / 3, 1 / 3, 1 / 3]);
		expect(p(0)).toEqual([0, 1, 0]);
	});

	test("with ties to the first arm, as the reference implementations break them", () => {
		const { best } = distribution(linucb, ["a", "b"], [cold, cold], x, {
			tieRule: "first",
		});
		expect(best).toEqual([0]);
	});

	test("are refused where x is not finite or no arm is eligible", () => {
		const decide = (...values: number[]) =>
			distribution(linucb, ["a"], [cold], Float64Array.from(values));
		expect(() => decide(1, Number.NaN)).toThrow("x[1] is NaN");
		expect(() => decide(Number.NEGATIVE_INFINITY, 0)).toThrow("x[0] is -Inf");
		expect(() => decide(1)).toThrow("x has 1 entries where 2 are needed");
		expect(() => decide(1e200, 0)).toThrow("The score of arm 0 is Infinity");
		expect(() => distribution(linucb, [], [], x)).toThrow(
			"at least one eligible arm",
		);
	});
});

describe("the other policies and control", () => {
	test("uniform is 1/K to the last bit, whatever the floor", () => {
		for (let arms = 1; arms <= 50; arms++)
			for (const explore of [0, 0.02, 0.1, 0.3, 1]) {
				const keys = Array.from({ length: arms }, (_, a) => `arm-${a}`);
				const { propensities } = distribution(
					{ kind: "uniform", ridge: 1, explore },
					keys,
					keys.map(() => cold),
					x,
				);
				expect(propensities.every((p) => p === 1 / arms)).toBe(true);
			}
	});

	test("uniform gives every eligible arm the same, and still reports the means", () => {
		const scored = distribution(
			{ kind: "uniform", ridge: 1, explore: 0.3 },
			["a", "b"],
			[taught(1), cold],
			x,
		);
		expect([...scored.propensities]).toEqual([0.5, 0.5]);
		expect(scored.means[0]).toBeGreaterThan(0.9);
	});

	test("fixed gives its arm all but the floor; where it is not eligible, the first one", () => {
		const fixed: Policy = { kind: "fixed", arm: "b", ridge: 1, explore: 0 };
		expect([
			...distribution(fixed, ["a", "b"], [cold, cold], x).propensities,
		]).toEqual([0, 1]);
		expect([
			...distribution(fixed, ["a", "c"], [cold, cold], x).propensities,
		]).toEqual([1, 0]);
	});

	test("a baseline is uniform or its arm; where that is not eligible, the first one", () => {
		expect([...baselineDistribution("uniform", ["a", "b", "c", "d"])]).toEqual([
			0.25, 0.25, 0.25, 0.25,
		]);
		expect([...baselineDistribution("b", ["a", "b"])]).toEqual([0, 1]);
		expect([...baselineDistribution("z", ["a", "b"])]).toEqual([1, 0]);
	});
});

describe("the draw", () => {
	test("never returns an arm of probability 0, at either end of [0, 1)", () => {
		const p = Float64Array.from([0, 0.3, 0, 0.7, 0]);
		expect([
			draw(p, 0),
			draw(p, 0.299),
			draw(p, 0.3),
			draw(p, 1 - 2 ** -53),
		]).toEqual([1, 1, 3, 3]);
		expect(() => draw(Float64Array.from([0, 0]), 0.5)).toThrow(RangeError);
	});

	test("returns the last possible arm where rounding left the sum of probabilities short of u", () => {
		const tenths = Float64Array.from([...Array(10).fill(0.1), 0]);
		expect(sum(tenths)).toBe(1 - 2 ** -53);
		expect(draw(tenths, 1 - 2 ** -53)).toBe(9);
	});

	test("meets its probabilities over 20,000 ids (χ², p ≥ 0.001)", () => {
		const p = Float64Array.from([0.02, 0.02, 0.46, 0.5]);
		const counts = [0, 0, 0, 0];
		for (let i = 0; i < 20_000; i++) {
			const arm = draw(p, uniformFrom("ab".repeat(32), "draw", `id-${i}`));
			counts[arm] = (counts[arm] as number) + 1;
		}
		const chi2 = counts.reduce(
			(total, count, a) =>
				total +
				(count - 20_000 * (p[a] as number)) ** 2 / (20_000 * (p[a] as number)),
			0,
		);
		expect(chi2, `counts ${counts}`).toBeLessThan(16.27);
	});
});

describe("the propensities of Thompson sampling", () => {
	const thompson: Policy = {
		kind: "thompson",
		alpha: 0.5,
		ridge: 1,
		explore: 0.2,
	};
	const keys = (arms: number) =>
		Array.from({ length: arms }, (_, a) => `a${a}`);

	test("of two arms are the closed form Φ((μ₁ − μ₂)/√(σ₁² + σ₂²)), mixed with the floor", () => {
		const models = [taught(0.4), cold];
		const { means, widths, propensities, best } = distribution(
			thompson,
			keys(2),
			models,
			x,
		);
		const z =
			((means[0] as number) - (means[1] as number)) /
			Math.hypot(0.5 * (widths[0] as number), 0.5 * (widths[1] as number));
		const wins = jstat.normal.cdf(z, 0, 1);
		expect(propensities[0]).toBeCloseTo(0.8 * wins + 0.1, 7);
		expect(wins).toBeGreaterThan(0.6);
		expect(best).toEqual([0]);
	});

	test("share the tie of arms never tried, and sum to 1 above the floor", () => {
		const models = [cold, taught(0.2), cold, cold];
		const { propensities } = distribution(thompson, keys(4), models, x);
		expect(
			new Set([propensities[0], propensities[2], propensities[3]]).size,
		).toBe(1);
		expect(Math.abs(sum(propensities) - 1)).toBeLessThanOrEqual(1e-12);
		expect(Math.min(...propensities)).toBeGreaterThanOrEqual(0.05);
	});

	test("of many arms are computed in slices, bit for bit as at once", () => {
		const models = Array.from({ length: 200 }, (_, a) =>
			a % 3 === 0 ? cold : taught((a % 17) / 20),
		);
		expect(isHeavy(thompson, 200)).toBe(true);
		expect(isHeavy(linucb, 200)).toBe(false);
		const slices = distributionInSlices(thompson, keys(200), models, x);
		let count = 0;
		let step = slices.next();
		for (; !step.done; step = slices.next()) count++;
		expect(count).toBeGreaterThan(0);
		expect(step.value).toEqual(distribution(thompson, keys(200), models, x));
	});
});

/** `printf é-1 | openssl mac -macopt hexkey:OPENSSL_KEY -macopt size:8 SIPHASH`, openssl 3.0. */
const OPENSSL_KEY = "c33a233aa175f18f044659ba2df63e57";
const OPENSSL_VALUE = "75d68510fd65ad5c";

describe("randomness from the id", () => {
	test("is the same for the same salt, label and id, and another for another", () => {
		const u = uniformFrom("00".repeat(32), "draw", "x");
		expect(uniformFrom("00".repeat(32), "draw", "x")).toBe(u);
		expect(uniformFrom("00".repeat(32), "share", "x")).not.toBe(u);
		expect(uniformFrom("01".repeat(32), "draw", "x")).not.toBe(u);
	});

	test("is uncorrelated between labels (|r| < 0.03 over 20,000 ids)", () => {
		const n = 20_000;
		const of = (label: string) =>
			Float64Array.from({ length: n }, (_, i) =>
				uniformFrom("07".repeat(32), label, `u${i}`),
			);
		const draws = of("draw");
		const shares = of("share");
		const controls = of("control");
		for (const [one, other] of [
			[draws, shares],
			[draws, controls],
			[shares, controls],
		] as const) {
			const covariance =
				sum(one.map((u, i) => (u - 0.5) * ((other[i] as number) - 0.5))) / n;
			expect(Math.abs(12 * covariance)).toBeLessThan(0.03);
		}
	});

	test("fills [0, 1) evenly (χ² over 20 equal parts, p ≥ 0.001), also for ids that differ in one digit only", () => {
		const n = 20_000;
		const parts = new Float64Array(20);
		for (let i = 0; i < n; i++) {
			const u = uniformFrom("5a".repeat(32), "share", String(i));
			expect(u >= 0 && u < 1).toBe(true);
			const part = Math.floor(u * 20);
			parts[part] = (parts[part] as number) + 1;
		}
		const chi2 = sum(parts.map((count) => (count - n / 20) ** 2 / (n / 20)));
		expect(chi2, `counts ${parts}`).toBeLessThan(43.82);
	});

	test("is SipHash-2-4's first 53 bits under a key that Node's own crypto derives", () => {
		const key = createHmac("sha256", Buffer.from("0f".repeat(32), "hex"))
			.update("draw")
			.digest()
			.subarray(0, 16);
		expect(key.toString("hex")).toBe(OPENSSL_KEY);
		const want =
			Number(Buffer.from(OPENSSL_VALUE, "hex").readBigUInt64LE() >> 11n) /
			2 ** 53;
		expect(uniformFrom("0f".repeat(32), "draw", "é-1")).toBe(want);
	});

	test("takes ids of any length", () => {
		const long = "é".repeat(5_000);
		expect(uniformFrom("0f".repeat(32), "draw", long)).not.toBe(
			uniformFrom("0f".repeat(32), "draw", `${long}a`),
		);
	});
});

describe("the weight of a time bucket", () => {
	const day = 86_400_000;
	test("halves with every half-life and is 1 without one", () => {
		expect(decayWeight({ ...linucb, halfLifeMs: 16 * day }, 0, 16, day)).toBe(
			0.5,
		);
		expect(decayWeight({ ...linucb, halfLifeMs: 16 * day }, 32, 0, day)).toBe(
			1,
		);
		expect(decayWeight(linucb, 0, 1_000, day)).toBe(1);
	});

	test("is 0 from the edge of a sliding window on", () => {
		const sliding = { ...linucb, slidingWindowMs: 16 * day };
		expect([
			decayWeight(sliding, 1, 16, day),
			decayWeight(sliding, 0, 16, day),
		]).toEqual([1, 0]);
	});
});
