import type { Policy } from "#core/experiment";
import { pointMass } from "./baseline.js";
import { bestArms, type TieRule, withFloor } from "./exploration.js";
import { scoreArms } from "./linucb.js";
import { type ArmModel, requireVector } from "./posterior.js";

/** Names encoder, kernel and draw: what must be the same for a decision to be derived again. */
export const CORE_VERSION = "e1k1d1";

/** Every eligible arm's numbers, in the order of the arms given. */
export interface Scored {
	/** θᵀx, whatever the policy's kind. */
	readonly means: Float64Array;
	/** √(xᵀA⁻¹x). */
	readonly widths: Float64Array;
	/** mean + α · width for LinUCB; the mean for the other kinds. */
	readonly scores: Float64Array;
	/** The exact probability of each arm; Σ = 1 within 1e-12. */
	readonly propensities: Float64Array;
	/** Indexes of the arms that the policy exploits. */
	readonly best: readonly number[];
}

/**
 * The policy: (x, eligible arms, their models in the same order) → a distribution.
 * Throws RangeError without arms, where x is not finite or not of the models' length, and where a score is not finite.
 */
export function distribution(
	policy: Policy,
	armKeys: readonly string[],
	models: readonly ArmModel[],
	x: Float64Array,
	options: { readonly tieRule?: TieRule } = {},
): Scored {
	if (armKeys.length === 0)
		throw new RangeError("A policy needs at least one eligible arm.");
	requireVector(x, models[0]?.d ?? 0);
	const alpha = isUpperBound(policy) ? policy.alpha : 0;
	const arms = armKeys.length;
	const means = new Float64Array(arms);
	const widths = new Float64Array(arms);
	const scores = new Float64Array(arms);
	scoreArms(models, x, means, widths);
	for (let a = 0; a < arms; a++)
		scores[a] = (means[a] as number) + alpha * (widths[a] as number);
	const best = exploited(policy, armKeys, scores, options.tieRule);
	return {
		means,
		widths,
		scores,
		best,
		propensities: withFloor(best, arms, policy.explore),
	};
}

function isUpperBound(
	policy: Policy,
): policy is Policy & { kind: "linucb" | "hybrid-linucb" } {
	return policy.kind === "linucb" || policy.kind === "hybrid-linucb";
}

function exploited(
	policy: Policy,
	armKeys: readonly string[],
	scores: Float64Array,
	tieRule?: TieRule,
): number[] {
	switch (policy.kind) {
		case "linucb":
		case "hybrid-linucb":
		case "thompson":
			return bestArms(scores, tieRule);
		case "uniform":
			return armKeys.map((_, a) => a);
		case "fixed":
			return [pointMass(armKeys, policy.arm).indexOf(1)];
	}
}
