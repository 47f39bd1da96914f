import type { SampleMean } from "./sample-mean.js";

/** How much two groups differ, and how well that is known. */
export interface Effect {
	/** b − a, in the metric's unit, or as a fraction of |a|. */
	readonly estimate: number;
	/** In the unit of the estimate, ≥ 0. */
	readonly standardError: number;
	/** Degrees of freedom of the standard error. */
	readonly dof: number;
	/** Independent observations of both groups together. */
	readonly n: number;
}

/** b − a of two independent groups. */
export function absoluteEffect(a: SampleMean, b: SampleMean): Effect {
	return effectOf(a, b, b.mean - a.mean, a.variance + b.variance);
}

/**
 * (b − a)/|a| of two independent groups, by the delta method of a ratio of means: Var ≈ Var(b)/a² + Var(a)·b²/a⁴. Deng, Knoblich, Lu 2018,
 * "Applying the Delta Method in Metric Analytics", section 2. Null where a's mean is 0; not to be trusted while it is within a few
 * standard errors of 0.
 */
export function relativeEffect(a: SampleMean, b: SampleMean): Effect | null {
	if (a.mean === 0) return null;
	return effectOf(
		a,
		b,
		(b.mean - a.mean) / Math.abs(a.mean),
		b.variance / a.mean ** 2 + (a.variance * b.mean ** 2) / a.mean ** 4,
	);
}

export function effectOf(
	a: SampleMean,
	b: SampleMean,
	estimate: number,
	variance: number,
): Effect {
	return {
		estimate,
		standardError: Math.sqrt(variance),
		dof: welchDegrees(a, b),
		n: a.n + b.n,
	};
}

/**
 * Degrees of freedom of a difference of two means (Welch 1947, eq. (28), after Satterthwaite), between min(n) − 1 and n_a + n_b − 2; the
 * latter where neither group varied.
 */
export function welchDegrees(a: SampleMean, b: SampleMean): number {
	const total = a.variance + b.variance;
	if (total === 0) return a.n + b.n - 2;
	const part = ({ variance, n }: SampleMean) =>
		variance === 0 ? 0 : (variance / total) ** 2 / (n - 1);
	return 1 / (part(a) + part(b));
}
