import {
	normalCdf,
	normalDensity,
	normalUpperQuantile,
} from "./distributions.js";
import type { Effect } from "./effect.js";
import { around, type Interval } from "./interval.js";
import { requireAlpha, requireFinite, requirePositive } from "./require.js";

export interface NormalPrior {
	/** In the unit of the effect. */
	readonly mean: number;
	readonly sd: number;
}

/** What is believed of an effect once the data are in. */
export interface PosteriorEffect extends Interval {
	readonly mean: number;
	readonly sd: number;
	/** P(effect > 0). */
	readonly chanceAbove0: number;
	/** E[max(0, −effect)]: what choosing b loses on average, in the unit of the effect. */
	readonly lossOfB: number;
	/** E[max(0, effect)]: what choosing a loses on average. */
	readonly lossOfA: number;
}

/**
 * Normal posterior of an effect with a normal prior, or a flat one (null): precisions add, means are weighted by them (Gelman et al. 2013,
 * "Bayesian Data Analysis", eq. (2.12)); with the central 1 − α interval and the expected loss of either choice (Stucchio 2015, "Bayesian
 * A/B Testing at VWO"). Looking often makes its statements wrong as those of any fixed-horizon method, so no report shows a chance to win;
 * here for people who compare with tools that do. Null where the standard error is 0. Throws RangeError for an α outside (0, 1) and a
 * prior that is none.
 */
export function posteriorEffect(
	effect: Effect,
	prior: NormalPrior | null,
	alpha: number,
): PosteriorEffect | null {
	requireAlpha(alpha);
	if (!(effect.standardError > 0)) return null;
	const { mean, sd } = combined(effect, prior);
	const z = mean / sd;
	const lossOfB = sd * normalDensity(z) - mean * normalCdf(-z);
	return {
		mean,
		sd,
		...around(mean, normalUpperQuantile(alpha / 2) * sd),
		chanceAbove0: normalCdf(z),
		lossOfB: Math.max(0, lossOfB),
		lossOfA: Math.max(0, lossOfB + mean),
	};
}

function combined(
	{ estimate, standardError }: Effect,
	prior: NormalPrior | null,
): { readonly mean: number; readonly sd: number } {
	if (prior === null) return { mean: estimate, sd: standardError };
	requireFinite(prior.mean, "The prior's mean");
	requirePositive(prior.sd, "The prior's standard deviation");
	const [data, before] = [standardError ** -2, prior.sd ** -2];
	return {
		mean: (data * estimate + before * prior.mean) / (data + before),
		sd: 1 / Math.sqrt(data + before),
	};
}
