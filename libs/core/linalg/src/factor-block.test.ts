import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { thetaOf } from "./arm-block.js";
import { NotPositiveDefinite } from "./cholesky.js";
import { toGrid } from "./dyadic.js";
import { factorBlock, ridgeFloor } from "./factor-block.js";
import { addOuter, packedLength } from "./packed-symmetric.js";
import { scoreBlocks } from "./score-blocks.js";

/** The smallest λ that the schema allows. */
const LEAST_RIDGE = 2 ** -12;
/** As many worst observations as a bucket's sums take exactly. */
const MOST_OBSERVATIONS = 2 ** 23;

interface Observed {
	readonly x: Float64Array;
	readonly n: number;
	readonly reward: number;
}

function systemOf(d: number, observed: readonly Observed[]): Float64Array {
	const system = new Float64Array(d + packedLength(d));
	for (const { x, n, reward } of observed) {
		for (let i = 0; i < d; i++)
			system[i] = (system[i] as number) + n * reward * (x[i] as number);
		addOuter(system, d, x, n);
	}
	return system;
}

function scoreOne(
	system: Float64Array,
	ridge: number,
	x: Float64Array,
): { readonly mean: number; readonly width: number } {
	const block = factorBlock(system, x.length, ridge);
	expect(thetaOf(block).every(Number.isFinite)).toBe(true);
	const [means, widths] = [new Float64Array(1), new Float64Array(1)];
	scoreBlocks([{ block }], x, means, widths);
	return { mean: means[0] as number, width: widths[0] as number };
}

/** What a client may send, before the encoder clips it to ±8 and rounds it to the grid. */
const sent = fc.oneof(
	fc.constantFrom(0, 1, -1, 8, -8, 1e308, -1e308, 1e-300, -1e-300, 2 ** -12),
	fc.double({ noNaN: true }),
	fc.double({ min: -8, max: 8, noNaN: true }),
);
/** How a column depends on what was sent: as it is, constant, all zero, or a multiple of the first. */
const column = fc.constantFrom("free", "constant", "zero", "collinear");
const length = fc.oneof(
	{ weight: 9, arbitrary: fc.integer({ min: 1, max: 40 }) },
	{ weight: 1, arbitrary: fc.constant(256) },
);

const hostile = length.chain((d) =>
	fc.record({
		columns: fc.array(column, { minLength: d, maxLength: d }),
		rows: fc.array(
			fc.record({
				sent: fc.array(sent, { minLength: d, maxLength: d }),
				n: fc.oneof(
					fc.integer({ min: 1, max: MOST_OBSERVATIONS }),
					fc.constant(MOST_OBSERVATIONS),
				),
				reward: fc.constantFrom(-8, 0, 1, 8),
			}),
			{ minLength: 1, maxLength: 6 },
		),
		ridge: fc.constantFrom(LEAST_RIDGE, 0.1, 1, 64),
		// More than one bucket: their sums are no longer exact.
		scale: fc.constantFrom(1, 1, 2 ** 10, 2 ** 20, 0.7),
	}),
);

function encoded(
	columns: readonly string[],
	values: readonly number[],
): Float64Array {
	const x = Float64Array.from(values, toGrid);
	for (const [i, kind] of columns.entries()) {
		if (kind === "constant") x[i] = 1;
		if (kind === "zero") x[i] = 0;
		if (kind === "collinear") x[i] = toGrid(-0.5 * (x[0] as number));
	}
	return x;
}

describe("hostile features", () => {
	test("never give a failing factor, nor a score that is not finite or a width below 0, and no width beyond √2·‖x‖/√λ", () => {
		fc.assert(
			fc.property(hostile, ({ columns, rows, ridge, scale }) => {
				const d = columns.length;
				const observed = rows.map(({ sent: values, n, reward }) => ({
					x: encoded(columns, values),
					n,
					reward,
				}));
				const system = systemOf(d, observed).map((sum) => sum * scale);
				const others = encoded(
					columns.map(() => "free"),
					rows[0]?.sent ?? [],
				);
				for (const { x } of [...observed, { x: others }]) {
					const { mean, width } = scoreOne(system, ridge, x);
					expect(Number.isFinite(mean)).toBe(true);
					expect(width).toBeGreaterThanOrEqual(0);
					const most = Math.sqrt(2 / ridge) * Math.hypot(...x);
					expect(width).toBeLessThanOrEqual(most * (1 + 1e-6));
				}
			}),
			{ numRuns: 150 },
		);
	});

	test.each([2, 16, 32, 64])(
		"have the width of the closed form when %i of them are collinear, a million observations, λ = 2⁻¹²",
		(d) => {
			const v = Float64Array.from({ length: d }, (_, i) => toGrid(1 + i / 7));
			const n = 2 ** 20;
			const system = systemOf(d, [{ x: v, n, reward: 1 }]);
			const square = v.reduce((sum, value) => sum + value * value, 0);
			const along = scoreOne(system, LEAST_RIDGE, v);
			expect(along.mean).toBeCloseTo(1, 6);
			expect(
				along.width / Math.sqrt(square / (LEAST_RIDGE + n * square)),
			).toBeCloseTo(1, 4);
			// Orthogonal to v, so never observed: nothing is known of it but λ.
			const across = new Float64Array(d);
			[across[0], across[1]] = [-(v[1] as number), v[0] as number];
			const length = Math.hypot(across[0] as number, across[1] as number);
			expect(
				scoreOne(system, LEAST_RIDGE, across).width /
					(length / Math.sqrt(LEAST_RIDGE)),
			).toBeCloseTo(1, 3);
		},
	);
});

describe("a ridge that rounding would eat", () => {
	/** 8, 8, 8 … so often that plain float64 finds a negative pivot with λ = 2⁻¹². */
	const d = 16;
	const worst = systemOf(d, [
		{ x: new Float64Array(d).fill(8), n: 2 ** 40, reward: 1 },
		{
			x: Float64Array.from({ length: d }, (_, i) => toGrid(i / 3)),
			n: 2 ** 38,
			reward: 0,
		},
	]);
	const trace = Array.from(
		{ length: d },
		(_, i) => worst[d + (i * (i + 3)) / 2] as number,
	).reduce((sum, value) => sum + value);

	test("is replaced by the floor, so that what was never observed has the floor's width", () => {
		const across = new Float64Array(d);
		[across[0], across[1], across[2]] = [1, -2, 1];
		const floor = ridgeFloor(trace, d);
		expect(floor).toBeGreaterThan(LEAST_RIDGE);
		const { width } = scoreOne(worst, LEAST_RIDGE, across);
		const want = Math.sqrt(6 / floor);
		expect(width / want).toBeGreaterThan(0.7);
		expect(width / want).toBeLessThan(Math.SQRT2);
	});

	test("is raised further where the sums themselves were rounded", () => {
		const rounded = worst.slice();
		// Entry (1, 0), off by 2⁻⁴⁰ of itself: no data has such sums, weighted buckets may come near.
		rounded[d + 1] = (rounded[d + 1] as number) * (1 + 2 ** -40);
		const x = new Float64Array(d).fill(1);
		const { mean, width } = scoreOne(rounded, LEAST_RIDGE, x);
		expect(Number.isFinite(mean)).toBe(true);
		expect(width).toBeGreaterThan(0);
	});

	test("does not hide sums that no data has", () => {
		const wrong = worst.slice();
		wrong[d + 1] = 1.01 * (wrong[d + 1] as number);
		expect(() => factorBlock(wrong, d, LEAST_RIDGE)).toThrow(
			NotPositiveDefinite,
		);
		wrong[d + 1] = Number.NaN;
		expect(() => factorBlock(wrong, d, LEAST_RIDGE)).toThrow(
			NotPositiveDefinite,
		);
	});
});
