import type { Policy } from "#core/experiment";
import { pointMass } from "./baseline.js";
import { bestArms, type TieRule, withFloor } from "./exploration.js";
import { scoreArm } from "./linucb.js";
import type { ArmModel } from "./posterior.js";

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

/** The policy: (x, eligible arms, their models) → a distribution. Throws RangeError without arms or where x is not finite. */
export function distribution(
	policy: Policy,
	armKeys: readonly string[],
	models: readonly ArmModel[],
	x: Float64Array,
	options: { readonly tieRule?: TieRule } = {},
): Scored {
	if (armKeys.length === 0)
		throw new RangeError("A policy needs at least one eligible arm.");
	if (!x.every(Number.isFinite))
		throw new RangeError("x has an entry that is not finite.");
	const alpha = policy.kind === "linucb" ? policy.alpha : 0;
	const arms = armKeys.length;
	const means = new Float64Array(arms);
	const widths = new Float64Array(arms);
	const scores = new Float64Array(arms);
	for (let a = 0; a < arms; a++) {
		const { mean, width, score } = scoreArm(models[a] as ArmModel, x, alpha);
		means[a] = mean;
		widths[a] = width;
		scores[a] = score;
	}
	const best = exploited(policy, armKeys, scores, options.tieRule);
	return {
		means,
		widths,
		scores,
		best,
		propensities: withFloor(best, arms, policy.explore),
	};
}

function exploited(
	policy: Policy,
	armKeys: readonly string[],
	scores: Float64Array,
	tieRule?: TieRule,
): number[] {
	switch (policy.kind) {
		case "linucb":
			return bestArms(scores, tieRule);
		case "uniform":
			return armKeys.map((_, a) => a);
		case "fixed":
			return [pointMass(armKeys, policy.arm).indexOf(1)];
	}
}
