import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NotPositiveDefinite, toGrid } from "#core/linalg";
import { scoreArm } from "./linucb.js";
import {
	addInto,
	addObservation,
	emptySums,
	prepareArm,
	sumsLength,
	viewSums,
} from "./posterior.js";

const D = 5;
const gridValue = fc.double({ min: -8, max: 8, noNaN: true }).map(toGrid);
const observation = fc.record({
	x: fc
		.array(gridValue, { minLength: D, maxLength: D })
		.map((x) => Float64Array.from(x)),
	reward: gridValue,
});
const observations = fc.array(observation, { maxLength: 60 });

function fold(
	all: readonly { x: Float64Array; reward: number }[],
): Float64Array {
	const sums = emptySums(D);
	for (const { x, reward } of all) addObservation(sums, D, x, 1, reward);
	return sums;
}

describe("sums of observations on the grid", () => {
	test("are bit-equal in any order and under any split into shards", () => {
		const shuffled = observations.chain((all) =>
			fc.record({
				all: fc.constant(all),
				order: fc.shuffledSubarray(all, { minLength: all.length }),
				shardOf: fc.infiniteStream(fc.nat({ max: 2 })),
			}),
		);
		fc.assert(
			fc.property(shuffled, ({ all, order, shardOf }) => {
				const shards = [emptySums(D), emptySums(D), emptySums(D)];
				for (const { x, reward } of order) {
					const shard = shards[shardOf.next().value as number] as Float64Array;
					addObservation(shard, D, x, 1, reward);
				}
				const merged = emptySums(D);
				for (const shard of shards) addInto(merged, shard);
				expect(equalBits(merged, fold(all))).toBe(true);
			}),
		);
	});

	test("give up an observation without a trace: what is subtracted was never there", () => {
		fc.assert(
			fc.property(observations, observation, (all, extra) => {
				const sums = fold([...all.slice(0, 10), extra, ...all.slice(10)]);
				addObservation(sums, D, extra.x, -1, -extra.reward);
				expect(equalBits(sums, fold(all))).toBe(true);
			}),
		);
	});
});

test("the model of an arm never tried is the prior: θ = 0, width = ‖x‖/√λ", () => {
	const model = prepareArm(emptySums(3), 3, 4);
	expect([...model.theta]).toEqual([0, 0, 0]);
	expect(scoreArm(model, Float64Array.from([2, -3, 6]), 1)).toEqual({
		mean: 0,
		width: 3.5,
		score: 3.5,
	});
	expect(model.n).toBe(0);
});

test("collinear and constant features are handled with the smallest ridge", () => {
	const sums = emptySums(D);
	const x = Float64Array.from([1, 8, 8, 8, -8]);
	for (let i = 0; i < 100_000; i++) addObservation(sums, D, x, 1, 1);
	const model = prepareArm(sums, D, 2 ** -12);
	expect(model.theta.every(Number.isFinite)).toBe(true);
	const mean = model.theta.reduce(
		(sum, theta, i) => sum + theta * (x[i] as number),
		0,
	);
	expect(mean).toBeCloseTo(1, 6);
});

test("a negative ridge, or sums that no data can have, are refused by name", () => {
	expect(() => prepareArm(emptySums(2), 2, -1)).toThrow(NotPositiveDefinite);
	const sums = emptySums(1);
	addObservation(sums, 1, Float64Array.from([2]), -1, 0);
	expect(() => prepareArm(sums, 1, 1)).toThrow(
		"not positive definite: pivot 0 is -3",
	);
});

test("an observation that is not finite, or of another length, is refused and leaves the sums as they were", () => {
	const sums = fold([{ x: new Float64Array(D).fill(1), reward: 1 }]);
	const before = Float64Array.from(sums);
	const refused: [number[], number, number, string][] = [
		[[1, Number.NaN, 0, 0, 0], 1, 1, "x[1] is NaN"],
		[[1, 0, 0, 0, Number.POSITIVE_INFINITY], 1, 1, "x[4] is Infinity"],
		[[1, 0], 1, 1, "x has 2 entries where 5 are needed"],
		[[1, 0, 0, 0, 0], 1, Number.NaN, "reward NaN"],
	];
	for (const [x, deltaN, deltaR, message] of refused)
		expect(() =>
			addObservation(sums, D, Float64Array.from(x), deltaN, deltaR),
		).toThrow(message);
	expect(equalBits(sums, before)).toBe(true);
});

test("a bucket is added with its weight", () => {
	const total = fold([{ x: new Float64Array(D).fill(1), reward: 1 }]);
	addInto(total, fold([{ x: new Float64Array(D).fill(2), reward: 1 }]), 0.25);
	const { n, b, A } = viewSums(total, D);
	expect([n, b[0], A[0]]).toEqual([1.25, 1.5, 2]);
});

test("the layout is n, b, then A's lower triangle by rows", () => {
	const sums = emptySums(2);
	expect(sums.length).toBe(sumsLength(2));
	addObservation(sums, 2, Float64Array.from([1, 3]), 1, 0.5);
	const { n, b, A } = viewSums(sums, 2);
	expect([n, [...b], [...A]]).toEqual([1, [0.5, 1.5], [1, 3, 9]]);
});

function equalBits(a: Float64Array, b: Float64Array): boolean {
	return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}
