import { vector } from "#core/linalg";

/** Control's distribution over the eligible arms: uniform, or all on the named arm; where that is not eligible, on the first. */
export function baselineDistribution(
	baseline: string,
	armKeys: readonly string[],
): Float64Array {
	if (baseline === "uniform")
		return vector(armKeys.length).fill(1 / armKeys.length);
	return pointMass(armKeys, baseline);
}

/** All probability on the named arm, or on the first eligible one where it is not among them. */
export function pointMass(
	armKeys: readonly string[],
	arm: string,
): Float64Array {
	const propensities = vector(armKeys.length);
	propensities[Math.max(0, armKeys.indexOf(arm))] = 1;
	return propensities;
}
