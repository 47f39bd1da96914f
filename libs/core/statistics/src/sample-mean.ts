import { requireFinite, requireNotNegative } from "./require.js";

/** A mean of independent observations with what is known of its error. */
export interface SampleMean {
	/** Independent observations (units, for a metric of this product). */
	readonly n: number;
	/** In the metric's unit. */
	readonly mean: number;
	/** Of the mean, not of an observation. */
	readonly variance: number;
}

/** Mean of `n` observations from their sum and sum of squares, sample variance (divided by n − 1). Null for n < 2. */
export function sampleMean(
	n: number,
	sum: number,
	sumSquares: number,
): SampleMean | null {
	requireNotNegative(n, "The number of observations");
	requireFinite(sum, "The sum");
	requireNotNegative(sumSquares, "The sum of squares");
	if (n < 2) return null;
	const mean = sum / n;
	const squares = Math.max(0, sumSquares - sum * mean);
	return { n, mean, variance: squares / (n - 1) / n };
}

/** Share of `n` independent trials that succeeded, with variance p(1 − p)/n. Null for n = 0. */
export function sampleShare(n: number, successes: number): SampleMean | null {
	requireNotNegative(n, "The number of trials");
	requireNotNegative(successes, "The number of successes");
	if (successes > n)
		throw new RangeError(
			`There cannot be more successes (${successes}) than trials (${n}).`,
		);
	if (n === 0) return null;
	const mean = successes / n;
	return { n, mean, variance: (mean * (1 - mean)) / n };
}
