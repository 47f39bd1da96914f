import type { Policy } from "#core/experiment";
import { vector } from "#core/linalg";
import { pointMass } from "./baseline.js";
import {
	bestArms,
	mixedWithFloor,
	type TieRule,
	withFloor,
} from "./exploration.js";
import { scoreArms } from "./linucb.js";
import { type ArmModel, requireVector } from "./posterior.js";
import { thompsonPropensities, thompsonSlices } from "./thompson.js";

/** Names encoder, kernel and draw: what must be the same for a decision to be derived again. */
export const CORE_VERSION = "e1k3d2";

/** Every eligible arm's numbers, in the order of the arms given. */
export interface Scored {
	/** θᵀx, whatever the policy's kind. */
	readonly means: Float64Array;
	/** √(xᵀA⁻¹x). */
	readonly widths: Float64Array;
	/** mean + α · width for LinUCB, disjoint and hybrid; the mean for the other kinds. */
	readonly scores: Float64Array;
	/** The exact probability of each arm; Σ = 1 within 1e-12. */
	readonly propensities: Float64Array;
	/** Indexes of the arms that the policy exploits: those of the best score, all of a uniform policy's, the fixed one's. */
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
	const scored = scoreAll(policy, armKeys.length, models, x);
	const { means, widths, scores } = scored;
	const best = exploited(policy, armKeys, scores, options.tieRule);
	const propensities =
		policy.kind === "thompson"
			? mixedWithFloor(
					thompsonPropensities(means, sampledSds(policy, scored)),
					policy.explore,
				)
			: withFloor(best, armKeys.length, policy.explore);
	return { means, widths, scores, best, propensities };
}

/** Thompson sampling over more arms than this takes longer than an event loop should be held at once. */
const MOST_AT_ONCE = 64;

/** Whether a distribution should be computed in slices. */
export function isHeavy({ kind }: Policy, arms: number): boolean {
	return kind === "thompson" && arms > MOST_AT_ONCE;
}

/** `distribution`, bit for bit, in slices of less than a millisecond: other work may be done between two calls of `next`. */
export function* distributionInSlices(
	policy: Policy,
	armKeys: readonly string[],
	models: readonly ArmModel[],
	x: Float64Array,
): Generator<void, Scored> {
	if (policy.kind !== "thompson")
		return distribution(policy, armKeys, models, x);
	const scores = scoreAll(policy, armKeys.length, models, x);
	const best = exploited(policy, armKeys, scores.scores);
	const sampled = yield* thompsonSlices(
		scores.means,
		sampledSds(policy, scores),
	);
	const propensities = mixedWithFloor(sampled, policy.explore);
	return { ...scores, best, propensities };
}

type Scores = Pick<Scored, "means" | "widths" | "scores">;

function scoreAll(
	policy: Policy,
	arms: number,
	models: readonly ArmModel[],
	x: Float64Array,
): Scores {
	if (arms === 0)
		throw new RangeError("A policy needs at least one eligible arm.");
	requireVector(x, models[0]?.d ?? 0);
	const means = vector(arms);
	const widths = vector(arms);
	scoreArms(models, x, means, widths);
	const alpha =
		policy.kind === "linucb" || policy.kind === "hybrid-linucb"
			? policy.alpha
			: 0;
	const scores = vector(arms);
	for (let a = 0; a < arms; a++)
		scores[a] = (means[a] as number) + alpha * (widths[a] as number);
	return { means, widths, scores };
}

/** α · width: the standard deviation of an arm's sampled score. */
function sampledSds(
	{ alpha }: Extract<Policy, { kind: "thompson" }>,
	{ widths }: Scores,
): Float64Array {
	return widths.map((width) => alpha * width);
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
