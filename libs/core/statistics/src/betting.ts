import { checked, EVERYTHING, predictableBets } from "./bounded-mean.js";
import type { Interval } from "./interval.js";
import { risingRoot } from "./root.js";

/** Of what may be lost on one observation, the part that is staked at most. */
const MOST_STAKED = 0.5;

/**
 * The hedged capital process for the mean of observations from [0, 1]: whoever bets half of 1 that the mean is above m and half that it
 * is below gets rich only if it is not m, so that m is left out once either half stands at 1/α:
 *
 *   K⁺_t(m) = ½ Π (1 + min(λ_i, ½/m)(x_i − m)),   K⁻_t(m) = ½ Π (1 − min(λ_i, ½/(1−m))(x_i − m))
 *
 * with λ of `predictableBets`. Waudby-Smith & Ramdas 2024, "Estimating means of bounded random variables by betting", theorem 3; the
 * narrowest of this room's exact sequences. K⁺ falls and K⁻ rises in m, so what is left is an interval; its ends are roots, not grid
 * points. Null where no mean is left, which happens with probability below α, or when the mean moved. Errors as in ./bounded-mean.ts.
 */
export function hedgedBetting(
	x: readonly number[],
	alpha: number,
): Interval | null {
	if (checked(x, alpha) === 0) return EVERYTHING;
	const bets = predictableBets(x, alpha);
	const rich = Math.log(2 / alpha);
	const above = (m: number) => logCapital(x, bets, m) - rich;
	const opposite = x.map((value) => 1 - value);
	const below = (m: number) => logCapital(opposite, bets, 1 - m) - rich;
	const low = above(0) < 0 ? 0 : risingRoot((m) => -above(m), 0, 1);
	const high = below(1) < 0 ? 1 : risingRoot(below, 0, 1);
	return low <= high ? { low, high } : null;
}

/** log Π (1 + min(λ_i, ½/m)(x_i − m)). */
function logCapital(
	x: readonly number[],
	bets: Float64Array,
	m: number,
): number {
	let log = 0;
	x.forEach((value, i) => {
		const lambda = Math.min(bets[i] as number, MOST_STAKED / m);
		log += Math.log1p(lambda * (value - m));
	});
	return log;
}
