import { normalCdf, normalDensity } from "./distributions.js";
import {
	requireAlpha,
	requireFinite,
	requireNotNegative,
	requirePositive,
} from "./require.js";

/**
 * The normal mixture of Howard, Ramdas, McAuliffe, Sekhon 2021, "Time-uniform, nonparametric, nonasymptotic confidence sequences".
 * S_t is a sum with mean 0 under the hypothesis, V_t ≥ 0 its clock (intrinsic time: its variance so far): with probability 1 − α,
 * S_t stays below u(V_t) at all times at once. Any clock will do that makes S sub-Gaussian in it, exactly or in the limit: tσ² for a
 * sum, or the information 1/SE² for an estimate, where S = V·(estimate − truth) and u(V)/V is the interval's half width.
 * v and ρ have the unit of S². All functions throw RangeError for an α outside (0, 1), v < 0 or ρ ≤ 0.
 */

/**
 * ρ that makes the two-sided boundary about as narrow as it can be at v_opt: ρ = v_opt / (2 log(1/α) + log(1 + 2 log(1/α))).
 * Howard et al. 2021, section 3.5. For the one-sided boundary hand in 2α.
 */
export function mixtureRho(vOpt: number, alpha: number): number {
	requirePositive(vOpt, "v_opt");
	requireAlpha(alpha);
	const c = -2 * Math.log(alpha);
	return vOpt / (c + Math.log1p(c));
}

/** |S| stays below u(v) = √((v + ρ) log((v + ρ) / (ρ α²))). Howard et al. 2021, eq. (14); Robbins 1970. */
export function mixtureBoundary(v: number, rho: number, alpha: number): number {
	check(v, rho);
	requireAlpha(alpha);
	return Math.sqrt((v + rho) * (Math.log1p(v / rho) - 2 * Math.log(alpha)));
}

/**
 * Always-valid p-value of S = s at clock v, two-sided: the largest α whose boundary s has not crossed, at most 1:
 * p = √((v + ρ)/ρ) exp(−s² / (2(v + ρ))). Under the hypothesis it is ever below α with probability at most α, so the smallest p so
 * far is one too. (Johari, Koomen, Pekelis, Walsh 2022, "Always valid inference", the mixture sequential probability ratio test.)
 */
export function mixtureP(s: number, v: number, rho: number): number {
	check(v, rho);
	requireFinite(s, "S");
	const logP = 0.5 * Math.log1p(v / rho) - (s * s) / (2 * (v + rho));
	return Math.min(1, Math.exp(logP));
}

/**
 * S stays below u(v), the root of M(u, v) = 1/α, where M(s, v) = 2 √(ρ/(v + ρ)) exp(s²/(2(v + ρ))) Φ(s/√(v + ρ)) is the mixture over
 * the positive half of the normal. Howard et al. 2021, proposition 6.
 */
export function oneSidedMixtureBoundary(
	v: number,
	rho: number,
	alpha: number,
): number {
	let u = oneSidedMixtureBound(v, rho, alpha);
	// log M is convex and rises in s, so Newton's steps from above only fall towards the root.
	for (let step = 0; step < 50; step++) {
		const excess = logHalfMixture(u, v, rho) + Math.log(alpha);
		const z = u / Math.sqrt(v + rho);
		const slope = (z + normalDensity(z) / normalCdf(z)) / Math.sqrt(v + rho);
		const next = u - excess / slope;
		if (!(next < u)) break;
		u = next;
	}
	return u;
}

/**
 * The one-sided boundary in closed form, from above: u(v) ≤ √(2(v + ρ) log(1 + √((v + ρ)/ρ) / (2α))), at most a few percent wider.
 * Howard et al. 2021, section 3.2; Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2024, appendix B.1.
 */
export function oneSidedMixtureBound(
	v: number,
	rho: number,
	alpha: number,
): number {
	check(v, rho);
	requireAlpha(alpha);
	const root = Math.sqrt(1 + v / rho) / (2 * alpha);
	return Math.sqrt(2 * (v + rho) * Math.log1p(root));
}

/** Always-valid p-value of S = s at clock v against "S does not drift upwards": 1/M(s, v), at most 1. */
export function oneSidedMixtureP(s: number, v: number, rho: number): number {
	check(v, rho);
	requireFinite(s, "S");
	return Math.min(1, Math.exp(-logHalfMixture(s, v, rho)));
}

function logHalfMixture(s: number, v: number, rho: number): number {
	const w = v + rho;
	return (
		0.5 * Math.log((4 * rho) / w) +
		(s * s) / (2 * w) +
		Math.log(normalCdf(s / Math.sqrt(w)))
	);
}

function check(v: number, rho: number): void {
	requireNotNegative(v, "The clock v");
	requirePositive(rho, "ρ");
}
