import { addObservation, emptySums } from "#core/policy";

/** Sums of K arms of d coordinates, as a learner has them, and vectors to score them with. */
export interface ScoreCase {
	readonly K: number;
	readonly d: number;
	/** Per arm, `[n, b, A]`. */
	readonly sums: readonly Float64Array[];
	/** Per arm, `[b, A]`: views of the sums. */
	readonly systems: readonly Float64Array[];
	readonly xs: readonly Float64Array[];
}

/** λ; bench/score.c has the same. */
export const RIDGE = 1;
/** Vectors in turn, so that nothing of a decision can be kept for the next; bench/score.c has the same. */
const VECTORS = 16;

/** The same numbers in every run. */
export function scoreCase(K: number, d: number): ScoreCase {
	const random = lehmer(1 + K * 1000 + d);
	const vector = () =>
		Float64Array.from({ length: d }, (_, i) =>
			i === 0 ? 1 : Math.round((random() * 4 - 2) * 4096) / 4096,
		);
	const sums = Array.from({ length: K }, () => {
		const armSums = emptySums(d);
		for (let n = 0; n < 2 * d; n++)
			addObservation(armSums, d, vector(), 1, random() < 0.3 ? 1 : 0);
		return armSums;
	});
	return {
		K,
		d,
		sums,
		systems: sums.map((armSums) => armSums.subarray(1)),
		xs: Array.from({ length: VECTORS }, vector),
	};
}

/** Lehmer's generator (Park & Miller 1988): enough to fill matrices. */
function lehmer(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state * 48_271) % 2_147_483_647;
		return state / 2_147_483_647;
	};
}
