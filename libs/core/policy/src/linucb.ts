import { quadraticForm } from "#core/linalg";
import type { ArmModel } from "./posterior.js";

export interface ArmScore {
	/** xᵀθ. */
	readonly mean: number;
	/** √(xᵀA⁻¹x). */
	readonly width: number;
	/** mean + α · width. */
	readonly score: number;
}

/** Disjoint LinUCB, Li et al. 2010, Alg. 1, line 9: p = θᵀx + α √(xᵀA⁻¹x). x has d finite entries. */
export function scoreArm(
	model: ArmModel,
	x: Float64Array,
	alpha: number,
): ArmScore {
	const mean = meanOf(model, x);
	const width = widthOf(model, x);
	return { mean, width, score: mean + alpha * width };
}

/** θᵀx. */
export function meanOf({ theta }: ArmModel, x: Float64Array): number {
	let sum = 0;
	for (let i = 0; i < x.length; i++)
		sum += (theta[i] as number) * (x[i] as number);
	return sum;
}

/** √(xᵀA⁻¹x); rounding may leave a form that is 0 just below it. */
export function widthOf({ inverse }: ArmModel, x: Float64Array): number {
	return Math.sqrt(Math.max(0, quadraticForm(inverse, x)));
}
