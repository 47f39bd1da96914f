import fc from "fast-check";
import { expect, test } from "vitest";
import { toGrid } from "#core/linalg";
import { seededRandom } from "../../../../test/support/random.js";
import { hybridModels } from "./hybrid-linucb.js";
import { scoreArms } from "./linucb.js";
import {
	type ArmFactor,
	addObservation,
	emptySums,
	factorise,
} from "./posterior.js";

const SEED = Number(process.env.SEED ?? 20251124);

test(`the largest hybrid models are made in slices that hold no decision up (SEED=${SEED})`, () => {
	const d = 256;
	const random = seededRandom(SEED);
	const sums = emptySums(d);
	for (let i = 0; i < 8; i++)
		addObservation(
			sums,
			d,
			Float64Array.from({ length: d }, () => Math.round(random() * 64) / 64),
			1,
			0.5,
		);
	const learned = factorise(sums, d, 1);
	const never = factorise(emptySums(d), d, 1);
	const arms = [learned, never];
	/** The shortest time that each slice took: what others do meanwhile lengthens single ones. */
	const shortest: number[] = [];
	for (let round = 0; round < 3; round++) {
		const making = hybridModels([[1], [0.5]], arms, d, 1);
		for (let slice = 0, done = false; !done; slice++) {
			const begunAt = performance.now();
			done = making.next().done === true;
			const took = performance.now() - begunAt;
			shortest[slice] = Math.min(shortest[slice] ?? took, took);
		}
	}
	// The largest takes a ninth of all; an arm in one piece would take more than a third. A share, since a busy machine is slow with all of them.
	const all = shortest.reduce((sum, took) => sum + took, 0);
	expect(Math.max(...shortest)).toBeLessThan(all / 4);
});

/** The largest width over the contexts, in units of what it was before anything was learned: ‖x‖ √((1 + |f|²)/λ). */
function widest(
	features: readonly (readonly number[])[],
	factors: readonly ArmFactor[],
	ridge: number,
	contexts: readonly Float64Array[],
): number {
	const d = (contexts[0] as Float64Array).length;
	const making = hybridModels(features, factors, d, ridge);
	let step = making.next();
	while (!step.done) step = making.next();
	let worst = 0;
	for (const x of contexts) {
		const means = new Float64Array(features.length);
		const widths = new Float64Array(features.length);
		scoreArms(step.value, x, means, widths);
		expect(means.every(Number.isFinite), `means ${means}`).toBe(true);
		for (const [a, f] of features.entries()) {
			expect(widths[a]).toBeGreaterThanOrEqual(0);
			const prior = (Math.hypot(1, ...f) * Math.hypot(...x)) / Math.sqrt(ridge);
			if (prior > 0) worst = Math.max(worst, (widths[a] as number) / prior);
		}
	}
	return worst;
}

/** Arms and what they learned, as hostile as the schema and the grid allow: collinear, constant or zero columns, any λ, large features. */
const hostile = fc.constantFrom(1, 2, 8, 64).chain((shared) => {
	const most = Math.min(256 / shared, 12);
	return fc
		.oneof(
			{ weight: 20, arbitrary: fc.integer({ min: 1, max: most }) },
			{ weight: 1, arbitrary: fc.constant(256 / shared) },
		)
		.chain((d) => {
			const sent = fc.oneof(
				fc.constantFrom(0, 1e308, -1e308, 1e-300),
				fc.double({ min: -8, max: 8, noNaN: true }),
			);
			const values = fc.array(sent, { minLength: d, maxLength: d });
			const feature = fc.oneof(
				fc.constantFrom(0, 1, 1_000, -1_000),
				fc.double({ min: -1_000, max: 1_000, noNaN: true }),
			);
			return fc.record({
				columns: fc.array(fc.constantFrom("free", "one", "zero", "collinear"), {
					minLength: d,
					maxLength: d,
				}),
				arms: fc.array(
					fc.record({
						features: fc.array(feature, {
							minLength: shared,
							maxLength: shared,
						}),
						seen: fc.array(values, { maxLength: 3 }),
					}),
					{ minLength: 1, maxLength: 5 },
				),
				// Each observation so often.
				n: fc
					.oneof(fc.nat(40), fc.integer({ min: 12, max: 30 }))
					.map((exponent) => 2 ** exponent),
				reward: fc.double({ min: -8, max: 8, noNaN: true }),
				ridge: fc.constantFrom(2 ** -12, 2 ** -12, 2 ** -12, 1, 1e6),
				other: values,
			});
		});
});

test(`hostile features never give a failing model, nor a score that is not finite, nor a width much beyond the prior's (SEED=${SEED})`, () => {
	let scores = 0;
	fc.assert(
		fc.property(hostile, ({ columns, arms, n, reward, ridge, other }) => {
			const d = columns.length;
			const encoded = (values: readonly number[]) =>
				Float64Array.from(columns, (kind, i) => {
					if (kind === "one") return 1;
					if (kind === "zero") return 0;
					return toGrid(
						kind === "collinear"
							? -0.5 * toGrid(values[0] as number)
							: (values[i] as number),
					);
				});
			const seen = arms.map((arm) => arm.seen.map(encoded));
			const factors = seen.map((all) => {
				const sums = emptySums(d);
				for (const x of all) addObservation(sums, d, x, n, n * reward);
				return factorise(sums, d, ridge);
			});
			const free = Float64Array.from(other, toGrid);
			const contexts = [...seen.flat(), encoded(other), free];
			scores += contexts.length * arms.length;
			const features = arms.map((arm) => arm.features);
			expect(widest(features, factors, ridge, contexts)).toBeLessThan(5);
		}),
		{ seed: SEED, numRuns: 400 },
	);
	expect(scores).toBeGreaterThan(1_000);
});

test(`few contexts seen so often that rounding eats λ leave no width much beyond the prior's, however large the arms' features (SEED=${SEED})`, () => {
	const random = seededRandom(SEED);
	const ridge = 2 ** -12;
	for (let i = 0; i < 4_000; i++) {
		const d = 2 + Math.floor(random() * 8);
		const shared = [1, 4, 8][i % 3] as number;
		const context = () =>
			Float64Array.from({ length: d }, () => toGrid(16 * random() - 8));
		const features = Array.from({ length: 1 + (i % 2) }, () =>
			Array.from({ length: shared }, () => 2_000 * random() - 1_000),
		);
		const n = 2 ** Math.floor(10 + random() * 18);
		const seen: Float64Array[] = [];
		const factors = features.map(() => {
			const sums = emptySums(d);
			for (let k = 0; k <= i % 3; k++) {
				const x = context();
				seen.push(x);
				addObservation(sums, d, x, n, n * random());
			}
			return factorise(sums, d, ridge);
		});
		const contexts = [...seen, context(), context()];
		const said = `${i}: ${features.length} arms of ${shared} features, d = ${d}, n = ${n}`;
		expect(widest(features, factors, ridge, contexts), said).toBeLessThan(5);
	}
});
