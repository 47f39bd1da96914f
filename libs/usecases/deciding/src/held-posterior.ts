import type { Definition, Policy } from "#core/experiment";
import { type ArmModel, emptySums, prepareArm, sumsLength } from "#core/policy";
import {
	type BucketHistory,
	boundHistory,
	emptyHistory,
	forgets,
	isHeldApart,
	replaceBucket,
	totalSums,
} from "./bucket-history.js";
import type { PosteriorRead } from "./ports.js";

/** Arms prepared between two breaths of the event loop; preparing one of d = 32 takes tens of microseconds. */
const ARMS_A_SLICE = 32;

/** What models depend on beside the sums. */
interface Reading {
	readonly ridge: number;
	readonly policy: Policy;
	readonly referenceBucket: number;
}

interface Prepared extends Reading {
	readonly byArm: Map<string, ArmModel>;
	prior: ArmModel | null;
	/** The models in the order of one definition, so that a decision need not collect them again. */
	ordered: {
		readonly definition: Definition;
		readonly models: readonly ArmModel[];
	} | null;
}

/**
 * The sums of one experiment version at one revision, and the models made of them. The sums never change: `advance` makes the next one,
 * so a decision that holds this one sees sums, models and revision of a single snapshot.
 */
export class HeldPosterior {
	private prepared: Prepared | null = null;

	private constructor(
		readonly revision: number,
		private readonly d: number,
		private readonly bucketMs: number,
		private readonly arms: ReadonlyMap<string, BucketHistory>,
	) {}

	/** Revision 0: nothing learned. */
	static empty(d: number, bucketMs: number): HeldPosterior {
		return new HeldPosterior(0, d, bucketMs, new Map());
	}

	/** Every arm's model, in the definition's order; an arm never tried gets the prior, A = λI. */
	models(definition: Definition, referenceBucket: number): readonly ArmModel[] {
		const prepared = this.preparedFor(definition, referenceBucket);
		if (prepared.ordered?.definition === definition)
			return prepared.ordered.models;
		const models = definition.experiment.arms.map((arm) =>
			this.model(prepared, arm.key),
		);
		prepared.ordered = { definition, models };
		return models;
	}

	/** One arm's sums with read-time weights, without λ. */
	sums(
		definition: Definition,
		arm: string,
		referenceBucket: number,
	): Float64Array {
		return this.total(definition.experiment.policy, arm, referenceBucket);
	}

	/**
	 * The posterior after a read since this revision, its changed arms prepared. Null when a bucket changed that is no longer held apart:
	 * then everything must be read again.
	 */
	async advance(
		read: PosteriorRead,
		definition: Definition,
	): Promise<HeldPosterior | null> {
		const { policy } = definition.experiment;
		const arms = new Map(this.arms);
		for (const changed of read.changed) {
			const history = arms.get(changed.arm) ?? emptyHistory;
			if (isHeldApart(history, changed.bucket))
				arms.set(changed.arm, replaceBucket(history, changed));
			else if (!forgets(policy)) return null;
		}
		const moved = new Set(read.changed.map((changed) => changed.arm));
		for (const arm of moved)
			arms.set(
				arm,
				boundHistory(arms.get(arm) ?? emptyHistory, policy, this.bucketMs),
			);
		const next = new HeldPosterior(read.revision, this.d, this.bucketMs, arms);
		if (this.prepared) await next.prepareFrom(this.prepared, moved, definition);
		return next;
	}

	/** Takes over the models of arms that did not move and makes those that did, letting decisions through in between. */
	private async prepareFrom(
		before: Prepared,
		moved: ReadonlySet<string>,
		definition: Definition,
	): Promise<void> {
		const { ridge, policy, referenceBucket, prior } = before;
		const byArm = new Map(before.byArm);
		for (const arm of moved) byArm.delete(arm);
		const prepared: Prepared = {
			ridge,
			policy,
			referenceBucket,
			byArm,
			prior,
			ordered: null,
		};
		let inSlice = 0;
		for (const { key } of definition.experiment.arms) {
			if (!moved.has(key)) continue;
			this.model(prepared, key);
			if (++inSlice % ARMS_A_SLICE === 0)
				await new Promise((resolve) => setImmediate(resolve));
		}
		this.prepared = prepared;
	}

	private preparedFor(
		definition: Definition,
		referenceBucket: number,
	): Prepared {
		const { policy } = definition.experiment;
		const held = this.prepared;
		if (
			held &&
			held.ridge === policy.ridge &&
			sameWeights(held, policy, referenceBucket)
		)
			return held;
		this.prepared = {
			ridge: policy.ridge,
			policy,
			referenceBucket,
			byArm: new Map(),
			prior: null,
			ordered: null,
		};
		return this.prepared;
	}

	private model(prepared: Prepared, arm: string): ArmModel {
		const known = prepared.byArm.get(arm);
		if (known) return known;
		if (!this.arms.has(arm)) {
			prepared.prior ??= prepareArm(emptySums(this.d), this.d, prepared.ridge);
			return prepared.prior;
		}
		const model = prepareArm(
			this.total(prepared.policy, arm, prepared.referenceBucket),
			this.d,
			prepared.ridge,
		);
		prepared.byArm.set(arm, model);
		return model;
	}

	private total(
		policy: Policy,
		arm: string,
		referenceBucket: number,
	): Float64Array {
		return totalSums(
			this.arms.get(arm) ?? emptyHistory,
			policy,
			referenceBucket,
			this.bucketMs,
			sumsLength(this.d),
		);
	}
}

function sameWeights(
	held: Reading,
	policy: Policy,
	referenceBucket: number,
): boolean {
	if (
		held.policy.halfLifeMs !== policy.halfLifeMs ||
		held.policy.slidingWindowMs !== policy.slidingWindowMs
	)
		return false;
	return !forgets(policy) || held.referenceBucket === referenceBucket;
}
