import { around, type Interval } from "./interval.js";
import { mixtureBoundary, mixtureP } from "./normal-mixture.js";
import { requireFinite, requireNotNegative } from "./require.js";

/** What a confidence sequence must know of the observations so far. */
export interface RunningMean {
	/** Observations so far. */
	readonly t: number;
	/** Their mean, in their unit. */
	readonly mean: number;
	/** Their standard deviation, √(Σ(x − mean)²/t): divided by t, not by t − 1. */
	readonly sd: number;
}

/**
 * Asymptotic confidence sequence for a mean: the interval at time t of a sequence that covers the running average of the conditional
 * means at all times from some time on with probability → 1 − α, whenever it is looked at; observations need a finite variance, no
 * bound. Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2024, "Time-uniform central limit theory and asymptotic confidence sequences",
 * theorem 2.2 (with their ρ² = 1/rho; that it covers a running average that moves is theorem 2.5):
 *
 *   mean_t ± sd_t √( 2 (t + ρ)/t² · log(√((t + ρ)/ρ) / α) )  =  mean_t ± sd_t · u(t)/t
 *
 * with u of `mixtureBoundary` in the clock t. `rho` counts observations: mixtureRho(t*, α) is narrowest near t*. Null where nothing can
 * be said: t < 2, or all observations were equal so far (sd = 0), which says nothing of those to come.
 */
export function asymptoticSequence(
	{ t, mean, sd }: RunningMean,
	rho: number,
	alpha: number,
): Interval | null {
	if (!spread(t, mean, sd)) return null;
	return around(mean, (sd * mixtureBoundary(t, rho, alpha)) / t);
}

/**
 * Always-valid p-value of "the mean is μ₀": the largest α at which the sequence with this rho still holds μ₀, at most 1. Not its
 * running minimum, which the caller may take. Null where the sequence is.
 */
export function asymptoticP(
	{ t, mean, sd }: RunningMean,
	rho: number,
	hypothesis: number,
): number | null {
	requireFinite(hypothesis, "The hypothesised mean");
	if (!spread(t, mean, sd)) return null;
	return mixtureP((t * (mean - hypothesis)) / sd, t, rho);
}

function spread(t: number, mean: number, sd: number): boolean {
	requireNotNegative(t, "The number of observations");
	requireFinite(mean, "The mean");
	requireNotNegative(sd, "The standard deviation");
	return t >= 2 && sd > 0;
}
