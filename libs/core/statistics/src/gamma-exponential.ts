import { gammaCdf, logGamma } from "./distributions.js";
import { oneSidedMixtureBound } from "./normal-mixture.js";
import {
	requireAlpha,
	requireNotNegative,
	requirePositive,
} from "./require.js";
import { risingRoot } from "./root.js";

/**
 * S stays below u(v) at all times at once with probability 1 − α, for a sum S that is sub-exponential with scale c in the clock v, as sums
 * of observations from [0, 1] around a predicted mean are (c = 1; ./bounded-mean.ts). The root of M(u, v) = 1/α with
 *
 *   M(s, v) = (ρ/c²)^(ρ/c²) / (Γ(ρ/c²) P(ρ/c², ρ/c²)) · Γ((v+ρ)/c²) P((v+ρ)/c², (cs+v+ρ)/c²) / ((cs+v+ρ)/c²)^((v+ρ)/c²) · e^((cs+v)/c²)
 *
 * Howard, Ramdas, McAuliffe, Sekhon 2021, proposition 9. ρ = mixtureRho(v_opt, 2α) makes it narrow near v_opt. v, ρ and c² have the unit
 * of S². Throws RangeError for an α outside (0, 1), v < 0, ρ ≤ 0 or c ≤ 0.
 */
export function gammaExponentialBoundary(
	v: number,
	rho: number,
	alpha: number,
	c = 1,
): number {
	requireNotNegative(v, "The clock v");
	requirePositive(rho, "ρ");
	requireAlpha(alpha);
	requirePositive(c, "The scale c");
	const excess = logMixture(v / c ** 2, rho / c ** 2);
	const target = -Math.log(alpha);
	// In the unit of c. The normal boundary is where heavier tails begin to add to it.
	let high = oneSidedMixtureBound(v / c ** 2, rho / c ** 2, alpha);
	while (excess(high) < target) high *= 2;
	return c * risingRoot((s) => excess(s) - target, 0, high);
}

/** s ↦ log M(s, v) for c = 1. */
function logMixture(v: number, rho: number): (s: number) => number {
	const a = v + rho;
	const leading =
		rho * Math.log(rho) -
		logGamma(rho) -
		Math.log(gammaCdf(rho, rho)) +
		logGamma(a);
	return (s) => {
		const x = s + a;
		return leading + Math.log(gammaCdf(a, x)) - a * Math.log(x) + s + v;
	};
}
