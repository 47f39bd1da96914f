import type { Effect } from "./effect.js";
import type { Tested } from "./fixed-horizon.js";
import { around } from "./interval.js";
import {
	mixtureBoundary,
	mixtureP,
	mixtureRho,
	oneSidedMixtureBound,
} from "./normal-mixture.js";
import { requireAlpha } from "./require.js";

/**
 * Sequential test of an effect that may be looked at whenever one likes: the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha,
 * Kennedy, Ramdas 2024 (theorem 2.2) in the clock n = n_a + n_b, with s² = SE²·n as the variance of an observation:
 *
 *   estimate ± s·√(2 (nρ² + 1)/(nρ)² · log(√(nρ² + 1)/α)),   ρ² = (−2 log α + log(1 − 2 log α))/tuning
 *
 * `tuning`: the n near which it is narrowest. This is how experiment platforms write it, for comparison with them; the report's lift uses
 * the information 1/SE² as its clock instead. The p-value is this look's, at most 1; the smallest so far is one too. Null where the
 * standard error is 0. Throws RangeError for an α outside (0, 1) or a tuning that is not above 0.
 */
export function sequentialTest(
	effect: Effect,
	tuning: number,
	alpha: number,
): Tested | null {
	const rho = mixtureRho(tuning, alpha);
	const { estimate, standardError, n } = effect;
	if (!(standardError > 0)) return null;
	const sd = standardError * Math.sqrt(n);
	return {
		...around(estimate, (sd * mixtureBoundary(n, rho, alpha)) / n),
		pValue: mixtureP((n * estimate) / sd, n, rho),
	};
}

/**
 * Lower end alone, at level α, with the one-sided boundary in its closed form (ibid., appendix B.1): estimate −
 * s·√(2 (nρ² + 1)/(nρ)² · log(1 + √(nρ² + 1)/(2α))), ρ of 2α. Null and errors as above; 2α must lie below 1.
 */
export function sequentialLowerEnd(
	effect: Effect,
	tuning: number,
	alpha: number,
): number | null {
	requireAlpha(2 * alpha);
	const rho = mixtureRho(tuning, 2 * alpha);
	const { estimate, standardError, n } = effect;
	if (!(standardError > 0)) return null;
	const sd = standardError * Math.sqrt(n);
	return estimate - (sd * oneSidedMixtureBound(n, rho, alpha)) / n;
}
