import { nearestKey } from "#core/experiment";
import { unpack } from "#core/linalg";
import { viewSums } from "#core/policy";
import { fail } from "#usecases/errors";
import type { Clock, Definitions } from "./ports.js";
import type { PosteriorCache } from "./posterior-cache.js";

export interface ShownPosterior {
	readonly experiment: string;
	readonly version: number;
	readonly revision: number;
	readonly arms: readonly ShownArm[];
}

export interface ShownArm {
	readonly arm: string;
	/** Decisions learned. */
	readonly n: number;
	/** λI + Σ x xᵀ. */
	readonly A: readonly (readonly number[])[];
	/** Σ r x. */
	readonly b: readonly number[];
	/** A⁻¹b. */
	readonly theta: readonly number[];
}

/** What this decider decides with now: every arm of the definition, untried ones with A = λI; undecayed unless the policy forgets. */
export class ReadPosterior {
	constructor(
		private readonly definitions: Definitions,
		private readonly posteriors: PosteriorCache,
		private readonly clock: Clock,
	) {}

	/** Throws unknown-experiment, unreadable-definition; invalid where `arm` names none of its arms. */
	execute(experiment: string, arm?: string): ShownPosterior {
		const definition = this.definitions.get(experiment);
		if (definition === undefined)
			throw (
				this.definitions.whyLeftOut?.(experiment) ??
				fail("unknown-experiment", `There is no experiment "${experiment}".`)
			);
		const keys = definition.experiment.arms.map(({ key }) => key);
		if (arm !== undefined && !keys.includes(arm)) throw unknownArm(arm, keys);

		const referenceBucket = Math.floor(this.clock.now() / definition.bucketMs);
		const { revision, models } = this.posteriors.snapshot(
			definition,
			referenceBucket,
		);
		const arms = keys.flatMap((key, index): ShownArm[] => {
			if (arm !== undefined && key !== arm) return [];
			const { theta, d } = models[index]!;
			const { n, b, A } = viewSums(
				this.posteriors.sums(definition, key, referenceBucket),
				d,
			);
			return [
				{
					arm: key,
					n,
					A: withRidge(unpack(A, d), definition.experiment.policy.ridge),
					b: [...b],
					theta: [...theta],
				},
			];
		});
		return { experiment, version: definition.version, revision, arms };
	}
}

function withRidge(A: number[][], ridge: number): number[][] {
	for (let i = 0; i < A.length; i++) A[i]![i]! += ridge;
	return A;
}

function unknownArm(arm: string, known: readonly string[]): Error {
	const near = nearestKey(arm, known);
	const hint =
		near === null
			? `The arms are ${known.slice(0, 20).join(", ")}.`
			: `Did you mean "${near}"?`;
	const message = `The experiment has no arm "${arm.slice(0, 64)}". ${hint}`;
	return fail("invalid", message, [{ path: "arm", message }]);
}
