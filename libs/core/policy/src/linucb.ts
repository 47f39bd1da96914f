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
	const mean = dot(model.theta, x);
	const width = Math.sqrt(Math.max(0, quadraticForm(model.inverse, x)));
	return { mean, width, score: mean + alpha * width };
}

function dot(a: Float64Array, b: Float64Array): number {
	let sum = 0;
	for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
	return sum;
}
