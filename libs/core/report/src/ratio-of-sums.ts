import type { UnitMoments } from "./counts.js";
import type { Measured } from "./interval.js";

/** Σ C, Σ n and their second moments over units; see UnitMoments. */
export type Moments = Pick<
	UnitMoments,
	"units" | "n" | "c" | "nn" | "nc" | "cc"
>;

/**
 * Mean reward per learned decision, R = ΣC / Σn over units, with its variance by the delta method: a unit's decisions resemble
 * each other, so the unit is the observation, and both its reward C and its number of decisions n vary.
 *
 *   Var R ≈ (s²_C − 2R·s_nC + R²·s²_n) / (U·n̄²), with sample (co)variances over the U units
 *         = Σ(C − R·n)² / ((U − 1)·U·n̄²), since Σ(C − R·n) = 0
 *
 * Deng, Knoblich, Lu 2018, "Applying the Delta Method in Metric Analytics", eq. (4). Null with fewer than two units.
 */
export function ratioOfSums({
	units,
	n,
	c,
	nn,
	nc,
	cc,
}: Moments): Measured | null {
	if (units < 2 || n <= 0) return null;
	const mean = c / n;
	const squares = Math.max(0, cc - 2 * mean * nc + mean * mean * nn);
	return {
		mean,
		variance: (squares * units) / ((units - 1) * n * n),
		observations: units,
	};
}
