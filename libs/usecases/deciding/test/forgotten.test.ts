import { describe, expect, it } from "vitest";
import { MemoryClock, MemoryPosteriorSource } from "#adapters/memory";
import type { Definition, Experiment, Policy } from "#core/experiment";
import { addObservation, distribution, emptySums } from "#core/policy";
import { PosteriorCache, ReadPosterior } from "../src/index.js";
import { DAY, definition, experiment } from "./definitions.js";

const NOW = 20_000;
const RIDGE = 0.5;
const ALPHA = 0.75;
const base = { ridge: RIDGE, explore: 0.1, alpha: ALPHA };
const halving = { halfLifeMs: 16 * DAY };
const sliding = { slidingWindowMs: 16 * DAY };

type Observed = readonly [age: number, x: readonly [number, number], r: number];

/** Of `calm`, by age in buckets. */
const observed: readonly Observed[] = [
	[0, [1, 2], 1],
	[16, [1, -1], 0.5],
	[32, [1, 4], -1],
	[48, [1, 0.5], 2],
];
function current(policy: Policy): Definition {
	const change: Partial<Experiment> = {
		policy,
		context: {
			intercept: true,
			features: [
				{ name: "tempo", from: "request", kind: "number", mean: 0, scale: 1 },
			],
		},
		arms: experiment.arms.map((arm, a) => ({ ...arm, features: [1, a / 2] })),
	};
	return definition({}, change);
}

/** `weight` times the sums of one observation, exact here. */
function sumsOf([, x, r]: Observed, weight = 1): Float64Array {
	const sums = emptySums(2);
	addObservation(sums, 2, Float64Array.from(x), weight, weight * r);
	return sums;
}

const apart = observed.map((one) => ({
	bucket: NOW - one[0],
	sums: sumsOf(one),
}));
const weighted = observed.map((one, i) => ({
	bucket: NOW,
	sums: sumsOf(one, 2 ** -i),
}));

/** A decider that learned of `calm` what is given, `later` buckets after. */
async function room(policy: Policy, learned = apart, later = 0) {
	const source = new MemoryPosteriorSource();
	const clock = new MemoryClock((NOW + later) * DAY);
	const held = current(policy);
	const definitions = { get: () => held, all: () => [held] };
	const cache = new PosteriorCache(source, definitions, clock);
	for (const one of learned)
		source.learn(experiment.key, 1, [{ arm: "calm", ...one }]);
	await cache.poll();
	const shown = new ReadPosterior(definitions, cache, clock);
	const { models } = cache.snapshot(held, NOW + later);
	return {
		calm: shown.execute(experiment.key, "calm").arms[0],
		scored: (x: readonly number[]) =>
			distribution(
				policy,
				held.experiment.arms.map(({ key }) => key),
				models,
				Float64Array.from(x),
			),
	};
}

const kinds = ["linucb", "hybrid-linucb", "thompson"] as const;
const x = [1, -3] as const;

describe("what a policy forgets is the sums, never λ", () => {
	it("by half-life: A = λI + Σ w x xᵀ, and the width of a decision is that of this A", async () => {
		const { calm, scored } = await room({
			...base,
			...halving,
			kind: "linucb",
		});
		// Σ w (1, 1, 1, 1), Σ w (2, −1, 4, ½), Σ w (4, 1, 16, ¼) with w = 1, ½, ¼, ⅛.
		const [a, b, c] = [1.875 + RIDGE, 2.5625, 8.53125 + RIDGE];
		expect(calm).toMatchObject({
			n: 1.875,
			A: [
				[a, b],
				[b, c],
			],
			b: [1.25, 0.875],
		});
		const [one, other] = x;
		const square =
			(c * one * one - 2 * b * one * other + a * other * other) /
			(a * c - b * b);
		const { means, widths } = scored(x);
		expect(widths[2]).toBeCloseTo(Math.sqrt(square), 12);
		const theta = [
			(c * 1.25 - b * 0.875) / (a * c - b * b),
			(a * 0.875 - b * 1.25) / (a * c - b * b),
		] as const;
		expect(means[2]).toBeCloseTo(theta[0] * one + theta[1] * other, 12);
	});

	it("by a sliding window: A = λI + Σ x xᵀ of what is inside", async () => {
		const { calm, scored } = await room({
			...base,
			...sliding,
			kind: "linucb",
		});
		expect(calm).toMatchObject({
			n: 1,
			A: [
				[1 + RIDGE, 2],
				[2, 4 + RIDGE],
			],
			b: [1, 2],
		});
		const det = 1.5 * 4.5 - 4;
		const square = (4.5 * 1 + 2 * 2 * 3 + 1.5 * 9) / det;
		expect(scored(x).widths[2]).toBeCloseTo(Math.sqrt(square), 12);
	});

	it.each(kinds)(
		"%s: a policy that halves decides as one that never forgets and was taught the halves",
		async (kind) => {
			const forgetting = await room({ ...base, ...halving, kind });
			const taught = await room({ ...base, kind }, weighted);
			for (const at of [x, [1, 0], [1, 8]])
				expect(forgetting.scored(at)).toEqual(taught.scored(at));
		},
	);

	it.each(
		kinds.flatMap((kind) =>
			[
				{ name: "half-life", forgets: halving, later: 16 * 1_100 },
				{ name: "sliding window", forgets: sliding, later: 16 },
				{ name: "both", forgets: { ...halving, ...sliding }, later: 16 },
			].map((one) => ({ kind, ...one })),
		),
	)(
		"$kind with $name: once all is forgotten, an arm is one never tried, bit for bit: A = λI, θ = 0, width ‖x‖/√λ",
		async ({ kind, forgets, later }) => {
			const policy: Policy = { ...base, ...forgets, kind };
			const after = await room(policy, apart, later);
			const before = await room(policy, []);
			expect(after.calm).toEqual({
				...before.calm,
				n: 0,
				A: [
					[RIDGE, 0],
					[0, RIDGE],
				],
				b: [0, 0],
				theta: [0, 0],
			});
			const scored = after.scored(x);
			expect(scored).toEqual(before.scored(x));
			if (kind !== "hybrid-linucb")
				expect(scored.widths[2]).toBeCloseTo(Math.sqrt(10 / RIDGE), 12);
		},
	);
});
