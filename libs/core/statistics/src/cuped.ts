import { type Effect, effectOf } from "./effect.js";
import type { SampleMean } from "./sample-mean.js";
import type { UnitMoments } from "./unit-moments.js";

/** Sums over the units of a group, with a covariate X of each, known before the unit was given a group. */
export interface CovariateMoments extends UnitMoments {
	/** Σ X. */
	readonly x: number;
	/** Σ X². */
	readonly xx: number;
	/** Σ X n. */
	readonly xn: number;
	/** Σ X C. */
	readonly xc: number;
}

export interface Adjusted {
	/** θ, the unit of the metric by the unit of X. */
	readonly theta: number;
	/** Control's adjusted mean, then the other group's; moved to the mean X of both, so that they are on the metric's own scale. */
	readonly means: readonly [SampleMean, SampleMean];
	readonly absolute: Effect;
	/** As a fraction of |control's own mean|; null where that is 0. */
	readonly relative: Effect | null;
}

/**
 * CUPED: the difference of two groups with what a covariate foretold taken out. R = ΣC/Σn is a ratio of sums over units (a plain mean where
 * every n is 1); with L = (C − Rn)/n̄ its linearisation,
 *
 *   R_adj = R − θ (X̄ − X̄_both),   Var R_adj = Var(L − θX)/U,   θ = Cov(L, X)/Var X over the units of both groups together.
 *
 * Deng, Xu, Kohavi, Walker 2013, "Improving the Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data", section 3.2,
 * for ratios by Deng, Knoblich, Lu 2018. The variance falls by the squared correlation of L and X. Relative: (b_adj − a_adj)/|R_a| with
 * the delta method's Var(L_b − θX)/U_b + Var(q L_a − θX)/U_a over R_a², q = R_b/R_a. Null with fewer than two units in a group, without
 * Σn, and where X does not vary (then there is nothing to adjust by). X must not be touched by the experiment.
 */
export function adjustByCovariate(
	a: CovariateMoments,
	b: CovariateMoments,
): Adjusted | null {
	if (a.units < 2 || b.units < 2 || a.n <= 0 || b.n <= 0) return null;
	const both = linearised(added(a, b));
	if (!(both.xx > 0)) return null;
	const theta = both.lx / both.xx;
	const centre = (a.x + b.x) / (a.units + b.units);
	const [ratioA, ratioB] = [a.c / a.n, b.c / b.n];
	const adjusted = (group: CovariateMoments, ratio: number): SampleMean => ({
		n: group.units,
		mean: ratio - theta * (group.x / group.units - centre),
		variance: varianceOf(group, 1, theta),
	});
	const means = [adjusted(a, ratioA), adjusted(b, ratioB)] as const;
	const difference = means[1].mean - means[0].mean;
	const variance = (q: number) => varianceOf(a, q, theta) + means[1].variance;
	return {
		theta,
		means,
		absolute: effectOf(...means, difference, variance(1)),
		relative:
			ratioA === 0
				? null
				: effectOf(
						...means,
						difference / Math.abs(ratioA),
						variance(ratioB / ratioA) / ratioA ** 2,
					),
	};
}

/** Var of the mean of qL − θX over the units of a group. */
function varianceOf(group: CovariateMoments, q: number, theta: number): number {
	const { ll, lx, xx } = linearised(group);
	const squares = q * q * ll - 2 * q * theta * lx + theta * theta * xx;
	return Math.max(0, squares) / (group.units - 1) / group.units;
}

/** Σ L², Σ L(X − X̄) and Σ (X − X̄)², since Σ L = 0. */
function linearised(m: CovariateMoments): {
	readonly ll: number;
	readonly lx: number;
	readonly xx: number;
} {
	const ratio = m.c / m.n;
	const perUnit = m.n / m.units;
	return {
		ll: (m.cc - 2 * ratio * m.nc + ratio * ratio * m.nn) / perUnit ** 2,
		lx: (m.xc - ratio * m.xn) / perUnit,
		xx: m.xx - (m.x * m.x) / m.units,
	};
}

function added(a: CovariateMoments, b: CovariateMoments): CovariateMoments {
	return {
		units: a.units + b.units,
		n: a.n + b.n,
		c: a.c + b.c,
		nn: a.nn + b.nn,
		nc: a.nc + b.nc,
		cc: a.cc + b.cc,
		x: a.x + b.x,
		xx: a.xx + b.xx,
		xn: a.xn + b.xn,
		xc: a.xc + b.xc,
	};
}
