import type { Definition, Policy } from "#core/experiment";
import { type ArmModel, emptySums, prepareArm } from "#core/policy";
import { Slices } from "./breath.js";
import { forgets } from "./bucket-history.js";

/** What models depend on beside the sums. */
export interface Reading {
	readonly policy: Policy;
	/** What read-time weights count from; of no matter where the policy does not forget. */
	readonly referenceBucket: number;
}

/** The models of one reading of a posterior's sums, each made when first needed or, in slices, before. */
export class PreparedModels {
	private readonly byArm = new Map<string, ArmModel>();
	private prior: ArmModel | null = null;
	/** The models in the order of one definition, so that a decision need not collect them again. */
	private ordered: {
		readonly definition: Definition;
		readonly models: readonly ArmModel[];
	} | null = null;

	private readied: Definition | null = null;

	/** @param sumsOf an arm's sums under the reading, without λ; null for an arm never tried */
	constructor(
		readonly reading: Reading,
		private readonly d: number,
		private readonly sumsOf: (
			arm: string,
			reading: Reading,
		) => Float64Array | null,
	) {}

	serves({ policy, referenceBucket }: Reading): boolean {
		const own = this.reading;
		return (
			own.policy.ridge === policy.ridge &&
			own.policy.halfLifeMs === policy.halfLifeMs &&
			own.policy.slidingWindowMs === policy.slidingWindowMs &&
			(!forgets(policy) || own.referenceBucket === referenceBucket)
		);
	}

	/** Every arm's model, in the definition's order; an arm never tried gets the prior, A = λI. */
	of(definition: Definition): readonly ArmModel[] {
		if (this.ordered?.definition === definition) return this.ordered.models;
		const models = definition.experiment.arms.map(({ key }) => this.model(key));
		this.ordered = { definition, models };
		return models;
	}

	/** Whether `ready` has made all that `of` needs. */
	isReady(definition: Definition): boolean {
		return (
			this.readied === definition || this.ordered?.definition === definition
		);
	}

	/** Makes what `of` will need, letting decisions through in between. An arm no model can be made of is left to `of`, which says so. */
	async ready(definition: Definition): Promise<void> {
		if (this.isReady(definition)) return;
		const slices = new Slices();
		try {
			this.priorModel();
			for (const { key } of definition.experiment.arms) {
				this.model(key);
				await slices.pause();
			}
			this.readied = definition;
		} catch {
			return;
		}
	}

	/** Takes over the models of arms that did not move since. */
	takeOver(before: PreparedModels, moved: ReadonlySet<string>): void {
		this.prior = before.prior;
		for (const [arm, model] of before.byArm)
			if (!moved.has(arm)) this.byArm.set(arm, model);
	}

	private model(arm: string): ArmModel {
		const known = this.byArm.get(arm);
		if (known) return known;
		const sums = this.sumsOf(arm, this.reading);
		if (sums === null) return this.priorModel();
		const model = prepareArm(sums, this.d, this.reading.policy.ridge);
		this.byArm.set(arm, model);
		return model;
	}

	private priorModel(): ArmModel {
		this.prior ??= prepareArm(
			emptySums(this.d),
			this.d,
			this.reading.policy.ridge,
		);
		return this.prior;
	}
}
