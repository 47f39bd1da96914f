import { vector } from "#core/linalg";

/** Scores this close to the best are tied: untried arms have mathematically equal scores, which rounding must not tell apart. */
export const TIE = 1e-9;

/** `share` splits a tie's probability; `first` gives it to the first arm, as reference implementations do. */
export type TieRule = "share" | "first";

/** Indexes of the arms tied for the best score, ascending. Throws RangeError for a score that is not finite. */
export function bestArms(
	scores: Float64Array,
	tieRule: TieRule = "share",
): number[] {
	let top = Number.NEGATIVE_INFINITY;
	for (let a = 0; a < scores.length; a++) {
		const score = scores[a] as number;
		if (!Number.isFinite(score))
			throw new RangeError(
				`The score of arm ${a} is ${score}; x or α is too large for float64.`,
			);
		if (score > top) top = score;
	}
	const best: number[] = [];
	for (let a = 0; a < scores.length; a++)
		if ((scores[a] as number) >= top - TIE) best.push(a);
	return tieRule === "first" ? best.slice(0, 1) : best;
}

/** p(a) = (1 − ε)·[a best]/|best| + ε/K over K eligible arms: exact with floor and ties, Σ p = 1. */
export function withFloor(
	best: readonly number[],
	arms: number,
	epsilon: number,
): Float64Array {
	if (best.length === arms) return vector(arms).fill(1 / arms);
	const propensities = vector(arms).fill(epsilon / arms);
	const share = (1 - epsilon) / best.length;
	for (const a of best) propensities[a] = (propensities[a] as number) + share;
	return propensities;
}

/** p(a) = (1 − ε)·q(a) + ε/K of a policy's own distribution q over K eligible arms. */
export function mixedWithFloor(
	own: Float64Array,
	epsilon: number,
): Float64Array {
	const floor = epsilon / own.length;
	return own.map((q) => (1 - epsilon) * q + floor);
}
