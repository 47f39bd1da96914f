import type { Definition, Policy } from "#core/experiment";
import {
	blockLength,
	LEAST_SHARED_BYTES,
	Sheets,
	type SpareSheets,
} from "#core/linalg";
import {
	type ArmFactor,
	type ArmModel,
	apart,
	emptySums,
	factorise,
	hybridModels,
	prepareArm,
} from "#core/policy";
import { Slices } from "./breath.js";
import { forgets } from "./bucket-history.js";

/** What models depend on beside the sums. */
export interface Reading {
	readonly policy: Policy;
	/** What read-time weights count from; of no matter where the policy does not forget. */
	readonly referenceBucket: number;
}

/** A definition's models, in its order of arms. */
interface Made {
	/** What they were made of beside the sums, as `arrangementOf` says. */
	readonly arrangement: string;
	readonly models: readonly ArmModel[];
}

/** An experiment's sums, as its models read them. */
export interface SumsByArm {
	/** False for an arm never tried. */
	has(arm: string): boolean;
	/** Without λ; of an arm that was tried. */
	read(arm: string, reading: Reading): Float64Array;
}

/** Definitions whose models are kept in order: the present one and the one about to be obeyed. */
const MOST_MADE = 2;

/**
 * The models of one reading of a posterior's sums, each made when first needed or, in slices, before. What depends on one arm's sums
 * alone is kept by arm, so that a refresh remakes only what moved: the model itself or, for a hybrid policy, the arm's factor.
 */
export class PreparedModels {
	private readonly models = new ByArm<ArmModel>(
		(sums, sheets) =>
			prepareArm(sums, this.d, this.reading.policy.ridge, sheets),
		apart,
	);
	/** In memory of their own. */
	private readonly factors = new ByArm<ArmFactor>(
		(sums) => factorise(sums, this.d, this.reading.policy.ridge),
		(factor) => factor,
	);
	private made: readonly Made[] = [];
	/** What models may be cut from. */
	private sheets: readonly Sheets[] = [];
	/** What models were cut from and are no more. */
	private left: readonly Sheets[] = [];
	/** Makers that are pausing: what they have made is known to nobody yet. */
	private making = 0;

	constructor(
		readonly reading: Reading,
		private readonly d: number,
		private readonly sums: SumsByArm,
		private readonly spare: SpareSheets,
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
		const known = this.find(definition);
		if (known !== undefined) return known.models;
		const making = this.make(definition);
		let step = making.next();
		while (!step.done) step = making.next();
		return this.keep(definition, step.value);
	}

	/** Whether `ready` has made all that `of` needs. */
	isReady(definition: Definition): boolean {
		return this.find(definition) !== undefined;
	}

	/** Makes what `of` will need, letting decisions through in between. An arm no model can be made of is left to `of`, which says so. */
	async ready(definition: Definition): Promise<void> {
		if (this.isReady(definition)) return;
		const slices = new Slices();
		this.making++;
		try {
			const making = this.make(definition);
			let step = making.next();
			while (!step.done) {
				await slices.pause();
				step = making.next();
			}
			this.keep(definition, step.value);
		} catch {
			return;
		} finally {
			this.making--;
		}
	}

	/** Hands back the memory that these models have left; those they were taken over from must not be used any more. */
	giveBack(): void {
		if (this.making === 0) for (const sheets of this.left) sheets.giveBack();
		this.left = [];
	}

	/** Takes over what was made of arms that did not move since. */
	takeOver(before: PreparedModels, moved: ReadonlySet<string>): void {
		this.sheets = before.sheets;
		this.models.takeOver(before.models, moved);
		this.factors.takeOver(before.factors, moved);
	}

	private *make({
		experiment: { arms, policy },
	}: Definition): Generator<void, readonly ArmModel[]> {
		if (policy.kind !== "hybrid-linucb")
			return yield* this.eachArm(arms, this.models);
		const factors = yield* this.eachArm(arms, this.factors);
		const features = arms.map((arm) => arm.features ?? []);
		return yield* hybridModels(features, factors, this.d, policy.ridge);
	}

	/** Where many are made together, those made before leave the memory that they share, so that it can be used again. */
	private *eachArm<T>(
		arms: readonly { readonly key: string }[],
		made: ByArm<T>,
	): Generator<void, readonly T[]> {
		const missing = arms.filter(
			({ key }) => !made.has(key) && this.sums.has(key),
		);
		const bytes = 8 * blockLength(this.d) * missing.length;
		const together = bytes >= LEAST_SHARED_BYTES;
		if (together) yield* this.models.moveApart();
		const sheets = together ? this.newSheets() : undefined;
		const all: T[] = [];
		for (const { key } of arms) {
			all.push(made.known(key) ?? this.makeOne(key, made, sheets));
			yield;
		}
		return all;
	}

	/** Once all that was made before has moved apart. */
	private newSheets(): Sheets {
		const sheets = new Sheets(this.spare);
		this.left = [...this.left, ...this.sheets].filter((one) => !one.isUncut);
		this.sheets = [sheets];
		this.made = [];
		return sheets;
	}

	private makeOne<T>(arm: string, made: ByArm<T>, sheets?: Sheets): T {
		return this.sums.has(arm)
			? made.make(arm, this.sums.read(arm, this.reading), sheets)
			: made.untried(() => emptySums(this.d));
	}

	private find(definition: Definition): Made | undefined {
		const arrangement = arrangementOf(definition);
		return this.made.find((one) => one.arrangement === arrangement);
	}

	private keep(
		definition: Definition,
		models: readonly ArmModel[],
	): readonly ArmModel[] {
		const arrangement = arrangementOf(definition);
		this.made = [{ arrangement, models }, ...this.made].slice(0, MOST_MADE);
		return models;
	}
}

const arrangements = new WeakMap<Definition, string>();

/** Which arms in which order and, for a hybrid policy, their features: an edit of α, traffic or payload leaves the models as they are. */
function arrangementOf(definition: Definition): string {
	const known = arrangements.get(definition);
	if (known !== undefined) return known;
	const { arms, policy } = definition.experiment;
	const hybrid = policy.kind === "hybrid-linucb";
	const arrangement = JSON.stringify(
		arms.map(({ key, features }) => (hybrid ? [key, features] : key)),
	);
	arrangements.set(definition, arrangement);
	return arrangement;
}

/** What is made of one arm's sums, and, once for all arms never tried, of none. */
class ByArm<T> {
	private readonly byArm = new Map<string, T>();
	private prior: T | null = null;

	constructor(
		private readonly makeOf: (sums: Float64Array, sheets?: Sheets) => T,
		private readonly apartOf: (made: T) => T,
	) {}

	has(arm: string): boolean {
		return this.byArm.has(arm);
	}

	known(arm: string): T | undefined {
		return this.byArm.get(arm);
	}

	make(arm: string, sums: Float64Array, sheets?: Sheets): T {
		const made = this.makeOf(sums, sheets);
		this.byArm.set(arm, made);
		return made;
	}

	untried(nothing: () => Float64Array): T {
		this.prior ??= this.makeOf(nothing());
		return this.prior;
	}

	/** Keeps the same in memory of its own. */
	*moveApart(): Generator<void, void> {
		for (const [arm, made] of this.byArm) {
			this.byArm.set(arm, this.apartOf(made));
			yield;
		}
	}

	takeOver(before: ByArm<T>, moved: ReadonlySet<string>): void {
		this.prior = before.prior;
		for (const [arm, made] of before.byArm)
			if (!moved.has(arm)) this.byArm.set(arm, made);
	}
}
