import jStat from "jstat";

export const CONFIDENCE = 0.95;

/** From here on t and normal agree to 2e-7, while jstat's t loses digits (1.957 at 1e8 degrees of freedom). */
const NORMAL_FROM = 1e7;

/**
 * An estimate with its interval, both null where the data allow none. The interval is valid at one time chosen beforehand
 * (`fixed-horizon`): whoever looks again and again and stops at a good moment is misled more often than 5 % of the time.
 */
export interface Estimate {
	readonly estimate: number | null;
	readonly standardError: number | null;
	/** Ends of the 95 % interval. */
	readonly low: number | null;
	readonly high: number | null;
	readonly confidence: typeof CONFIDENCE;
	readonly kind: "fixed-horizon";
	/** What the interval takes as independent of each other. */
	readonly observation: "unit" | "decision";
	/** Why there is no interval, or no estimate; null where there is. */
	readonly withheld: string | null;
}

/** A mean of a group with the variance of that mean, from `observations` independent ones. */
export interface Measured {
	readonly mean: number;
	/** Variance of the mean, not of an observation. */
	readonly variance: number;
	readonly observations: number;
}

export function withheld(
	reason: string,
	estimate: number | null = null,
	observation: Estimate["observation"] = "unit",
): Estimate {
	return {
		estimate,
		standardError: null,
		low: null,
		high: null,
		confidence: CONFIDENCE,
		kind: "fixed-horizon",
		observation,
		withheld: reason,
	};
}

/** estimate ± t·SE, with the quantile of Student's t for `dof` degrees of freedom: the normal's for many observations, wider for few. */
export function interval(
	estimate: number,
	variance: number,
	dof: number,
	observation: Estimate["observation"] = "unit",
): Estimate {
	const standardError = Math.sqrt(variance);
	const half = quantile((1 + CONFIDENCE) / 2, dof) * standardError;
	return {
		estimate,
		standardError,
		low: estimate - half,
		high: estimate + half,
		confidence: CONFIDENCE,
		kind: "fixed-horizon",
		observation,
		withheld: null,
	};
}

function quantile(p: number, dof: number): number {
	return dof < NORMAL_FROM
		? jStat.studentt.inv(p, dof)
		: jStat.normal.inv(p, 0, 1);
}

/** Degrees of freedom of a difference of two means: Welch 1947, eq. (28), after Satterthwaite. */
export function welchDegrees(a: Measured, b: Measured): number {
	const total = a.variance + b.variance;
	return (
		total ** 2 /
		(a.variance ** 2 / (a.observations - 1) +
			b.variance ** 2 / (b.observations - 1))
	);
}
