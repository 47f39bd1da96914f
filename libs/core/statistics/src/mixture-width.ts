/**
 * Half-width, in standard errors, of the normal mixture's confidence sequence: √((1 + 1/m)(log(1 + m) + 2 log(1/α))) with m = τ²/SE².
 * The estimate's standardised path is mixed over effects of N(0, τ²) (Robbins 1970, eq. 17), with information 1/SE² as the clock (Jennison
 * & Turnbull 1999, §3.4), so that lift ± width · SE covers at all looks at once with probability 1 − α. Narrowest against
 * the fixed-horizon interval, 1.549 times it at α = 0.05, where m = 2.82² is reached.
 */
export function mixtureWidth(m: number, alpha: number): number {
	return Math.sqrt((1 + 1 / m) * (Math.log1p(m) - 2 * Math.log(alpha)));
}

/**
 * The same for one side: √(2 (1 + 1/m) log(1 + √(1 + m)/(2α))), the closed form of the mixture over N(0, τ²) folded to one sign
 * (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2024, "Time-uniform central limit theory and asymptotic confidence sequences", App. B).
 */
export function oneSidedMixtureWidth(m: number, alpha: number): number {
	return Math.sqrt(
		2 * (1 + 1 / m) * Math.log1p(Math.sqrt(1 + m) / (2 * alpha)),
	);
}

/** The smallest α at which an effect of `z` standard errors lies outside the two-sided sequence at this look: √(1 + m)·exp(−z²m/(2(1 + m))), at most 1. */
export function mixturePValue(z: number, m: number): number {
	return Math.min(1, Math.exp(0.5 * (Math.log1p(m) - (z * z * m) / (1 + m))));
}
