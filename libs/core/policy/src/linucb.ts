import { scoreBlocks } from "#core/linalg";
import type { ArmModel } from "./posterior.js";

export interface ArmScore {
	/** θᵀx. */
	readonly mean: number;
	/** √(xᵀA⁻¹x). */
	readonly width: number;
	/** mean + α · width. */
	readonly score: number;
}

/**
 * means[a] = θᵀx and widths[a] = √(xᵀA⁻¹x) of every model, in their order: what every policy starts from. All models and x have the
 * same d, x is finite, and both results have room for all arms; nothing of this is checked here, where every microsecond counts.
 */
export function scoreArms(
	models: readonly ArmModel[],
	x: Float64Array,
	means: Float64Array,
	widths: Float64Array,
): void {
	scoreBlocks(models, x, means, widths);
}

/** Disjoint LinUCB, Li et al. 2010, Alg. 1, line 9: p = θᵀx + α √(xᵀA⁻¹x). x has d finite entries. */
export function scoreArm(
	model: ArmModel,
	x: Float64Array,
	alpha: number,
): ArmScore {
	const means = new Float64Array(1);
	const widths = new Float64Array(1);
	scoreArms([model], x, means, widths);
	const [mean, width] = [means[0] as number, widths[0] as number];
	return { mean, width, score: mean + alpha * width };
}
