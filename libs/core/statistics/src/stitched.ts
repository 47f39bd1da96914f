import { riemannZeta } from "./distributions.js";
import {
	requireAlpha,
	requireNotNegative,
	requirePositive,
} from "./require.js";

/** How the crossing probability is spent over the epochs [η^k, η^(k+1)) of the clock. */
export interface Stitching {
	/** Ratio of the ends of an epoch, > 1. */
	readonly eta: number;
	/** Epoch k is given α / (ζ(s)(k+1)^s), s > 1. */
	readonly s: number;
	/** Scale of a sub-gamma sum, in the unit of S; 0 for a sub-Gaussian one. */
	readonly c: number;
}

const DEFAULT: Stitching = { eta: 2, s: 1.4, c: 0 };

/**
 * S stays below u(v) at all times at once with probability 1 − α; u grows like √(v log log v), slower than any mixture's, so that it is
 * the narrowest in the very long run. Polynomial stitching of Howard, Ramdas, McAuliffe, Sekhon 2021, theorem 1, eq. (10):
 *
 *   u(v) = √(k₁² v ℓ(v) + k₂² c² ℓ(v)²) + k₂ c ℓ(v),   ℓ(v) = s log log(η v/m) + log(ζ(s) / (α log^s η)),
 *   k₁ = (η^¼ + η^−¼)/√2,   k₂ = (√η + 1)/2
 *
 * `m` (> 0, in the unit of S²) is where the first epoch begins: below it the boundary is flat. Throws RangeError for what cannot be.
 */
export function stitchedBoundary(
	v: number,
	m: number,
	alpha: number,
	{ eta, s, c }: Stitching = DEFAULT,
): number {
	requireNotNegative(v, "The clock v");
	requirePositive(m, "The begin of the first epoch");
	requireAlpha(alpha);
	requirePositive(eta - 1, "η − 1");
	requirePositive(s - 1, "s − 1");
	requireNotNegative(c, "The scale c");
	const k1 = (eta ** 0.25 + eta ** -0.25) / Math.SQRT2;
	const k2 = (Math.sqrt(eta) + 1) / 2;
	const clock = Math.max(v, m);
	const l =
		s * Math.log(Math.log((eta * clock) / m)) +
		Math.log(riemannZeta(s) / (alpha * Math.log(eta) ** s));
	return Math.sqrt(k1 ** 2 * clock * l + (k2 * c * l) ** 2) + k2 * c * l;
}
