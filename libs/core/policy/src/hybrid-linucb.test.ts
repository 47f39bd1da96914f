import { expect, test } from "vitest";
import { seededRandom } from "../../../../test/support/random.js";
import { hybridModels } from "./hybrid-linucb.js";
import { addObservation, emptySums, factorise } from "./posterior.js";

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
	// 8 ms where it is built, more under the test runner; an arm in one piece took 100, and over 600 here.
	expect(Math.max(...shortest)).toBeLessThan(100);
});
