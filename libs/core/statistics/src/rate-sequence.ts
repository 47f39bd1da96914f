import type { Interval } from "./interval.js";
import { requireAlpha } from "./require.js";
import { risingRoot } from "./root.js";
import { sampleRatioEvidence } from "./sample-ratio.js";

/** Rates nearer to 0 and 1 than this are taken as 0 and 1. */
const EDGE = 1e-12;

/**
 * Exact confidence sequence for a rate after `successes` of `trials` yes-or-no observations: all p whose beta-binomial mixture martingale
 * stands below 1/α. Howard, Ramdas, McAuliffe, Sekhon 2021, proposition 7, with the mixture Beta(kp, k(1 − p)), which makes it the
 * two-group case of `sampleRatioEvidence` with α₀ = k > 0; k = mixtureRho(t_opt, α) − 1 is narrow near t_opt trials. For a metric that is a share of
 * independent trials, exact where the asymptotic sequence is doubted. [0, 1] before the first trial. Throws RangeError for counts that
 * are not whole, more successes than trials, an α outside (0, 1) and a k that is not above 0.
 */
export function rateSequence(
	successes: number,
	trials: number,
	k: number,
	alpha: number,
): Interval {
	requireAlpha(alpha);
	const failures = trials - successes;
	const excess = (p: number) =>
		sampleRatioEvidence([successes, failures], [p, 1 - p], k) + Math.log(alpha);
	const rate = trials === 0 ? 0.5 : successes / trials;
	const low =
		rate <= EDGE || excess(EDGE) < 0
			? 0
			: risingRoot((p) => -excess(p), EDGE, rate);
	const high =
		rate >= 1 - EDGE || excess(1 - EDGE) < 0
			? 1
			: risingRoot(excess, rate, 1 - EDGE);
	return { low, high };
}
