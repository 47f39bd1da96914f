import { compiled, lgam, ndtr, ndtri } from "cephes";

await compiled;

const LOG_ROOT_TWO_PI = 0.5 * Math.log(2 * Math.PI);

/** Φ(z), the standard normal distribution function; relative error below 1e-14 in both tails. */
export const normalCdf = ndtr;

/** Φ⁻¹(p) for p in (0, 1). */
export const normalQuantile = ndtri;

/** φ(z). */
export function normalDensity(z: number): number {
	return Math.exp(-0.5 * z * z - LOG_ROOT_TWO_PI);
}

/** log Γ(x), x > 0. */
export const logGamma = lgam;
