import type { Definition } from "#core/experiment";
import {
	type ArmModel,
	distribution,
	distributionInSlices,
	type Scored,
} from "#core/policy";
import { breath } from "./breath.js";
import type { CompiledDefinition } from "./compiled-definition.js";
import type { GatheredContext } from "./gather-context.js";
import type { JudgedArms } from "./judge-arms.js";
import type { PosteriorSnapshot } from "./ports.js";
import type { Ruling } from "./rulings.js";
import type { Reasons } from "./why-missing.js";

/** All that is known of a decision before the policy is asked. */
export interface Ground {
	readonly definition: Definition;
	readonly compiled: CompiledDefinition;
	/** UUIDv7 the decision will have. */
	readonly id: string;
	/** The id's time, milliseconds. */
	readonly decidedAt: number;
	readonly referenceBucket: number;
	readonly context: GatheredContext;
	readonly x: Float64Array;
	readonly missing: readonly string[];
	/** Why they are, where not for being absent. */
	readonly reasons: Reasons;
	readonly arms: JudgedArms;
	readonly posterior: PosteriorSnapshot;
	/** Of the eligible arms, in order. */
	readonly models: readonly ArmModel[];
	/** What was not as it should be so far. */
	readonly degraded: readonly string[];
	/** Null where no privacy rule touches the experiment's features. */
	readonly ruling: Ruling | null;
}

/** All that is known of a decision before an arm is chosen. */
export interface Considered extends Ground {
	/** The policy's view of the eligible arms, in order. */
	readonly scored: Scored;
}

export function score(ground: Ground): Considered {
	const { definition, arms, models, x } = ground;
	const { policy } = definition.experiment;
	return withScores(ground, distribution(policy, arms.keys, models, x));
}

/** Written out: to spread the ground takes as long as to draw. */
function withScores(ground: Ground, scored: Scored): Considered {
	return {
		definition: ground.definition,
		compiled: ground.compiled,
		id: ground.id,
		decidedAt: ground.decidedAt,
		referenceBucket: ground.referenceBucket,
		context: ground.context,
		x: ground.x,
		missing: ground.missing,
		reasons: ground.reasons,
		arms: ground.arms,
		posterior: ground.posterior,
		models: ground.models,
		degraded: ground.degraded,
		ruling: ground.ruling,
		scored,
	};
}

/** `score`, letting other decisions through in between. */
export async function scoreInSlices(ground: Ground): Promise<Considered> {
	const { definition, arms, models, x } = ground;
	const slices = distributionInSlices(
		definition.experiment.policy,
		arms.keys,
		models,
		x,
	);
	let step = slices.next();
	while (!step.done) {
		await breath();
		step = slices.next();
	}
	return withScores(ground, step.value);
}
