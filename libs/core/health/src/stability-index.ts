/** Share that stands in for that of an empty bin, whose logarithm there is not. */
export const LEAST_SHARE = 1e-4;

/** Below it nothing has moved to speak of. */
export const MODERATE_DRIFT = 0.1;
/** From here on the population is another one. */
export const LARGE_DRIFT = 0.25;

/**
 * Population stability index, PSI = Σ (aᵢ − eᵢ) ln(aᵢ / eᵢ), of the shares eᵢ of each bin at launch and aᵢ of now; in [0, ∞), 0 where
 * all are equal, the same for both directions. Shares below `LEAST_SHARE` count as that. NaN where one side has nothing.
 *
 * Siddiqi 2006, Credit Risk Scorecards, p. 136, with its thresholds 0.1 and 0.25. It is the sum of both Kullback–Leibler divergences.
 *
 * @param expected counts of launch, one a bin
 * @param actual counts of now, of the same bins
 */
export function stabilityIndex(
	expected: readonly number[],
	actual: readonly number[],
): number {
	const before = sum(expected);
	const now = sum(actual);
	if (before === 0 || now === 0) return Number.NaN;
	let index = 0;
	for (let i = 0; i < expected.length; i++) {
		const e = Math.max((expected[i] ?? 0) / before, LEAST_SHARE);
		const a = Math.max((actual[i] ?? 0) / now, LEAST_SHARE);
		index += (a - e) * Math.log(a / e);
	}
	return index;
}

/** Values that each bin beyond the first needs, before and now, so that chance alone makes no more of an index than half of moderate. */
export const VALUES_A_BIN = 40;

/**
 * How many values of a side can tell of that many bins. Without drift the index is about χ² with bins − 1 degrees of freedom times
 * (1/n + 1/m) (Yurdakul 2018, Statistical Properties of Population Stability Index), so its mean is at most 2/40 = 0.05 then.
 */
export function valuesNeeded(bins: number): number {
	return VALUES_A_BIN * Math.max(1, bins - 1);
}

export function sum(counts: readonly number[]): number {
	return counts.reduce((all, one) => all + one, 0);
}
