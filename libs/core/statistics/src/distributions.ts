import {
	compiled,
	igam,
	igamc,
	incbet,
	incbi,
	lgam,
	ndtr,
	ndtri,
	zeta,
} from "cephes";

await compiled;

const LOG_ROOT_TWO_PI = 0.5 * Math.log(2 * Math.PI);
/** e to less than this is no number above 0, and cephes throws instead of saying 0. */
const UNDERFLOW = -700;

/** Φ(z), the standard normal distribution function; relative error below 1e-13 from z = −27 on (1e-161), 0 below. */
export const normalCdf = ndtr;

/** The z > 0 that a standard normal exceeds with probability `tail` in (0, ½]. */
export function normalUpperQuantile(tail: number): number {
	return -ndtri(tail);
}

/** φ(z). */
export function normalDensity(z: number): number {
	return Math.exp(-0.5 * z * z - LOG_ROOT_TWO_PI);
}

/** log Γ(x), x > 0. */
export const logGamma = lgam;

/** log B(a, b) = log Γ(a) + log Γ(b) − log Γ(a + b), a and b > 0. */
export function logBeta(a: number, b: number): number {
	return lgam(a) + lgam(b) - lgam(a + b);
}

/** Riemann's ζ(s), s > 1. */
export function riemannZeta(s: number): number {
	return zeta(s, 1);
}

/** P(a, x) = γ(a, x)/Γ(a), the gamma distribution function of shape a > 0 at x ≥ 0. */
export function gammaCdf(a: number, x: number): number {
	return vanishes(a, x) ? Number(x > a) : igam(a, x);
}

/** Probability that χ² of `dof` degrees of freedom exceeds x ≥ 0; 0 where it is below 1e-300. */
export function chiSquareTail(x: number, dof: number): number {
	const [a, half] = [dof / 2, x / 2];
	return vanishes(a, half) ? Number(half < a) : igamc(a, half);
}

function vanishes(a: number, x: number): boolean {
	return a * Math.log(x) - x - lgam(a) < UNDERFLOW;
}

/**
 * Probability that |T| exceeds |t| for Student's T of `dof` > 0 degrees of freedom, not necessarily whole. Relative error below 1e-9
 * up to 10⁶ degrees, 3e-9 at 10⁷.
 */
export function studentTails(t: number, dof: number): number {
	return incbet(dof / 2, 0.5, dof / (dof + t * t));
}

/** The t > 0 with P(|T| > t) = α. Relative error below 1e-9 up to 10⁷ degrees of freedom, for α ≥ 1e-9. */
export function studentQuantile(alpha: number, dof: number): number {
	const x = incbi(dof / 2, 0.5, alpha);
	return Math.sqrt((dof * (1 - x)) / x);
}
