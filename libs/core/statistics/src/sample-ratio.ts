import { chiSquareTail, logGamma } from "./distributions.js";
import { requirePositive } from "./require.js";

/**
 * Is the traffic split as planned? Evidence that it is not, after `counts` units (one number a group): the logarithm of the Bayes
 * factor of a multinomial whose shares are Dirichlet(α₀·planned) against the planned shares θ₀:
 *
 *   log BF = log B(α₀θ₀ + n) − log B(α₀θ₀) − Σ n_j log θ₀_j,    log B(a) = Σ log Γ(a_j) − log Γ(Σ a_j)
 *
 * Lindon & Malek 2022, "Anytime-Valid Inference For Multinomial Count Data" (its test of a multinomial hypothesis). Under the plan the factor is a martingale that
 * begins at 1, so that it ever passes 1/α has probability at most α. α₀ in units: how near the plan the other splits are thought to
 * be; a large one finds small leaks of large experiments, a small one large leaks early. The order of the units does not matter.
 * `planned`: positive weights, not necessarily normalised. Throws RangeError for fewer than two groups, lists of different lengths,
 * weights or an α₀ that are not positive, and counts that are not whole numbers from 0 on.
 */
export function sampleRatioEvidence(
	counts: readonly number[],
	planned: readonly number[],
	alpha0: number,
): number {
	const shares = plannedShares(counts, planned);
	requirePositive(alpha0, "α₀");
	let n = 0;
	let evidence = 0;
	shares.forEach((share, j) => {
		const count = counts[j] as number;
		n += count;
		evidence +=
			logGamma(alpha0 * share + count) -
			logGamma(alpha0 * share) -
			count * Math.log(share);
	});
	return evidence - logGamma(alpha0 + n) + logGamma(alpha0);
}

/**
 * Always-valid p-value of "the split is as planned": the smallest 1/BF of all looks so far, at most 1. `before` is the p of the look
 * before (1 at the first); looks may be as rare or as frequent as one likes. Below α at any time: alarm, for good. Errors as above.
 */
export function sampleRatioP(
	before: number,
	counts: readonly number[],
	planned: readonly number[],
	alpha0: number,
): number {
	if (!(before >= 0 && before <= 1))
		throw new RangeError(
			`The p-value of the look before must lie in [0, 1]; it is ${before}.`,
		);
	return Math.min(
		before,
		Math.exp(-sampleRatioEvidence(counts, planned, alpha0)),
	);
}

/**
 * χ² goodness of fit of the split, Σ (n_j − Nθ_j)²/(Nθ_j) with groups − 1 degrees of freedom (Pearson 1900), at one time chosen beforehand:
 * for looking once at a finished experiment. Good where every group is planned at least 5 units. Null before the first unit. Errors as
 * above.
 */
export function sampleRatioChiSquare(
	counts: readonly number[],
	planned: readonly number[],
): {
	readonly statistic: number;
	readonly dof: number;
	readonly pValue: number;
} | null {
	const shares = plannedShares(counts, planned);
	const n = counts.reduce((sum, count) => sum + count, 0);
	if (n === 0) return null;
	const statistic = shares.reduce((sum, share, j) => {
		const expected = n * share;
		return sum + ((counts[j] as number) - expected) ** 2 / expected;
	}, 0);
	const dof = shares.length - 1;
	return { statistic, dof, pValue: chiSquareTail(statistic, dof) };
}

/** The plan as shares with sum 1, after checking it and the counts. */
function plannedShares(
	counts: readonly number[],
	planned: readonly number[],
): number[] {
	if (planned.length < 2 || counts.length !== planned.length)
		throw new RangeError(
			`A split needs a count and a planned share for each of at least two groups; there are ${counts.length} counts and ${planned.length} shares.`,
		);
	for (const count of counts)
		if (!Number.isSafeInteger(count) || count < 0)
			throw new RangeError(
				`Units are counted in whole numbers from 0 on; one count is ${count}.`,
			);
	for (const share of planned) requirePositive(share, "A planned share");
	const total = planned.reduce((sum, share) => sum + share, 0);
	return planned.map((share) => share / total);
}
