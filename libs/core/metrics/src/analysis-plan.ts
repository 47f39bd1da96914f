import type { Experiment, PrimaryMetric } from "#core/experiment";
import {
	mixtureBoundary,
	mixtureScale,
	plannedStandardError,
	rateSpread,
} from "#core/statistics";

/** How the primary metric will be judged: fixed from the start of an analysis until its stop. All in the metric's own unit. */
export interface AnalysisPlan extends PrimaryMetric {
	/** Standard error of the lift at the planned size. */
	readonly standardError: number;
	/** Whether nothing is known of the spread, so that the standard error is made of the smallest effect. */
	readonly assumed: boolean;
	/** τ of the normal mixture that makes the lift's intervals. */
	readonly tau: number;
	/** Half the width of the always-valid interval at the planned size. */
	readonly halfWidth: number;
	/** The lift whose interval at the planned size excludes 0 with a chance of 80 %. */
	readonly detectable: number;
}

/** Without a spread: a fixed-horizon test of the planned size would find the smallest effect four times of five. */
const EFFECT_PER_SE = 2.8;
/** Φ⁻¹(0.8). */
const Z_OF_80_PERCENT = 0.8416212335729143;

/**
 * Null where no primary metric is declared, or where nobody, or everybody, is control: then there is no lift to judge.
 * @param alpha of the lift's interval, in (0, 1)
 */
export function analysisPlan(
	{ metrics, traffic }: Pick<Experiment, "metrics" | "traffic">,
	alpha = 0.05,
): AnalysisPlan | null {
	const primary = metrics?.primary;
	const { control } = traffic;
	if (primary === undefined || control <= 0 || control >= 1) return null;
	const { expected, plannedUnits: units, smallestEffect } = primary;
	const spread = expected === undefined ? primary.spread : rateSpread(expected);
	const standardError =
		spread === undefined
			? smallestEffect / EFFECT_PER_SE
			: plannedStandardError({ spread, units, control });
	const tau = mixtureScale(standardError);
	// The clock is the information v = 1/SE², with ρ = 1/τ²: half a width is u(v)/v.
	const v = 1 / standardError ** 2;
	const halfWidth = mixtureBoundary(v, 1 / tau ** 2, alpha) / v;
	return {
		...primary,
		standardError,
		assumed: spread === undefined,
		tau,
		halfWidth,
		detectable: halfWidth + Z_OF_80_PERCENT * standardError,
	};
}
