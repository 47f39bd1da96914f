import { thompsonPropensities } from "#core/policy";
import type { SampleMean } from "./sample-mean.js";

/**
 * The probability of each arm to have the highest mean, with independent normal posteriors N(mean, variance of the mean) under a flat
 * prior: ∫ φ_a Π_{b≠a} Φ_b, the very integral that Thompson sampling draws by (`thompsonPropensities`, within 1e-9). No report shows it: it
 * is a belief about means under one fixed policy, and a learning policy's own rows bias those. Here for comparison with tools that do,
 * on rows of the control group. Throws RangeError without arms and where a number is not finite.
 */
export function probabilityBest(arms: readonly SampleMean[]): Float64Array {
	return thompsonPropensities(
		Float64Array.from(arms, ({ mean }) => mean),
		Float64Array.from(arms, ({ variance }) => Math.sqrt(variance)),
	);
}
