import { logBeta, normalCdf, normalUpperQuantile } from "./distributions.js";
import { around, type Interval } from "./interval.js";
import { requireAlpha } from "./require.js";

/** Independent yes-or-no trials. */
export interface Trials {
	readonly n: number;
	readonly successes: number;
}

/** From here on the sum of `chanceOfHigherShare` takes longer than anyone should wait (about 50 ms). */
const MOST_SUCCESSES = 5_000_000;

/**
 * Wilson's score interval of a share: the p that the normal test with variance p(1−p)/n does not refuse at level α. Wilson 1927, "Probable
 * inference, the law of succession, and statistical inference". At one time chosen beforehand; good where the share is near 0 or 1 and
 * trials are few. Null for n = 0. Throws RangeError for an α outside (0, 1) and for counts that are not whole or in the wrong order.
 */
export function wilsonInterval(trials: Trials, alpha: number): Interval | null {
	requireAlpha(alpha);
	const { n, successes } = checkedTrials(trials);
	if (n === 0) return null;
	const p = successes / n;
	const zz = normalUpperQuantile(alpha / 2) ** 2;
	const centre = (p + zz / (2 * n)) / (1 + zz / n);
	const half =
		Math.sqrt(zz * ((p * (1 - p)) / n + zz / (4 * n * n))) / (1 + zz / n);
	return around(centre, half);
}

/**
 * Do two shares differ? z = (p_b − p_a)/√(p(1−p)(1/n_a + 1/n_b)) with the pooled p, and its two-sided p-value, at one time chosen
 * beforehand (Fleiss, Levin, Paik 2003, "Statistical Methods for Rates and Proportions", section 3.3, without continuity correction). Null
 * where a group has no trials or all trials of both ended alike. Errors as above.
 */
export function pooledShareTest(
	a: Trials,
	b: Trials,
): { readonly z: number; readonly pValue: number } | null {
	for (const trials of [a, b]) checkedTrials(trials);
	if (a.n === 0 || b.n === 0) return null;
	const pooled = (a.successes + b.successes) / (a.n + b.n);
	const variance = pooled * (1 - pooled) * (1 / a.n + 1 / b.n);
	if (!(variance > 0)) return null;
	const z = (b.successes / b.n - a.successes / a.n) / Math.sqrt(variance);
	return { z, pValue: 2 * normalCdf(-Math.abs(z)) };
}

/**
 * P(p_b > p_a) with independent uniform priors: posteriors Beta(α, β) = Beta(1 + successes, 1 + failures), exactly
 *
 *   Σ_{i=0}^{α_b−1} B(α_a + i, β_a + β_b) / ((β_b + i) B(1 + i, β_b) B(α_a, β_a))
 *
 * (Miller 2014, "Formulas for Bayesian A/B Testing"; Cook 2005), each term from the one before. No report shows it: a chance to win is read
 * as an error probability, which it is not once people look often. Here for comparison with tools that do. Works in as many steps as
 * b has successes. Throws RangeError as above, and beyond 5,000,000 successes.
 */
export function chanceOfHigherShare(a: Trials, b: Trials): number {
	for (const trials of [a, b]) checkedTrials(trials);
	if (b.successes > MOST_SUCCESSES)
		throw new RangeError(
			`The sum has a term a success and stops at ${MOST_SUCCESSES}; b has ${b.successes}. Use the normal posterior of the effect.`,
		);
	const [alphaA, betaA] = [1 + a.successes, 1 + a.n - a.successes];
	const betaB = 1 + b.n - b.successes;
	let log = logBeta(alphaA, betaA + betaB) - logBeta(alphaA, betaA);
	let chance = 0;
	for (let i = 0; i <= b.successes; i++) {
		chance += Math.exp(log);
		log += Math.log(
			((alphaA + i) * (betaB + i)) / ((alphaA + betaA + betaB + i) * (1 + i)),
		);
	}
	return Math.min(1, chance);
}

function checkedTrials(trials: Trials): Trials {
	const { n, successes } = trials;
	if (
		!Number.isSafeInteger(n) ||
		!Number.isSafeInteger(successes) ||
		successes < 0 ||
		successes > n
	)
		throw new RangeError(
			`Trials are whole numbers with 0 ≤ successes ≤ n, not ${successes} of ${n}.`,
		);
	return trials;
}
