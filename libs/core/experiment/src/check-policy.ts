import type { Placed } from "./check-context.js";
import type { ArmDocument, PolicyDocument } from "./document.js";
import type { Problem } from "./experiment.js";

/** Most coordinates of z = f_a ⊗ x: hybrid LinUCB factorises a matrix of that order at each refresh. */
export const MOST_SHARED_COORDINATES = 256;

/** One arm's news remakes the models of all, so there is a limit to how many. */
const MOST_HYBRID_ARMS = 200;

/** What a policy needs beside its own fields. */
export function policyProblems(policy: PolicyDocument): Problem[] {
	if (policy.kind !== "thompson" || policy.explore !== 0) return [];
	return [
		{
			path: "policy.explore",
			message:
				"Thompson sampling needs an exploration floor above 0, such as 0.01: without one an arm's probability can be too small for its decisions to be evaluated.",
		},
	];
}

/**
 * Arms' features are of one length, or of none at all; a hybrid policy needs them.
 * @param arms all of the experiment's
 * @param d coordinates of x; null where the context has problems of its own
 */
export function armFeatureProblems(
	arms: readonly Placed<ArmDocument>[],
	policy: PolicyDocument | null,
	d: number | null,
): Problem[] {
	const first = arms.find(({ value }) => value.features !== undefined);
	if (first === undefined)
		return policy?.kind === "hybrid-linucb"
			? [
					{
						path: "arms[0].features",
						message:
							"A hybrid policy learns over what arms have in common: give every arm features, such as [1, 0.5].",
					},
				]
			: [];
	const length = first.value.features?.length ?? 0;
	const problems = arms
		.filter(({ value }) => value.features?.length !== length)
		.map(({ index, value }) => ({
			path: `arms[${index}].features`,
			message: `Has ${value.features?.length ?? 0} numbers where arms[${first.index}] has ${length}; every arm needs equally many.`,
		}));
	if (policy?.kind === "hybrid-linucb" && arms.length > MOST_HYBRID_ARMS)
		problems.push({
			path: "policy.kind",
			message: `A hybrid policy takes at most ${MOST_HYBRID_ARMS} arms, not ${arms.length}: what one of them learns changes all. Use linucb, or fewer arms.`,
		});
	if (
		policy?.kind === "hybrid-linucb" &&
		d !== null &&
		length * d > MOST_SHARED_COORDINATES
	)
		problems.push({
			path: "policy.kind",
			message: `A hybrid policy over ${length} arm features and ${d} coordinates of context has ${length * d} shared ones; at most ${MOST_SHARED_COORDINATES} are possible.`,
		});
	return problems;
}
