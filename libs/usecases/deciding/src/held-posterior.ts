import type { Definition, Policy } from "#core/experiment";
import { isCut, Sheets, SpareSheets } from "#core/linalg";
import { type ArmModel, sumsLength } from "#core/policy";
import { Slices } from "./breath.js";
import {
	type BucketHistory,
	boundHistory,
	emptyHistory,
	forgets,
	isHeldApart,
	replaceBucket,
	totalSums,
} from "./bucket-history.js";
import type { BucketSums, PosteriorRead } from "./ports.js";
import { PreparedModels } from "./prepared-models.js";

/** Models that decisions will need: of a definition, at a reference bucket. */
export interface Need {
	readonly definition: Definition;
	readonly referenceBucket: number;
}

/** What stays the same from revision to revision. */
interface Kind {
	/** Length of x. */
	readonly d: number;
	readonly bucketMs: number;
	/** What models that are made together are cut from. */
	readonly spare: SpareSheets;
}

/** 512 KiB each, 30 models or sums of d = 64; the sums and models of 1,000 arms twice. */
export function newSpareSheets(): SpareSheets {
	return new SpareSheets(65_536, 140);
}

/** Readings whose models are kept, the last used: an old and a new ridge, this bucket and the next. */
const MOST_READINGS = 4;

/**
 * The sums of one experiment version at one revision, and the models made of them. The sums never change: `advance` makes the next one,
 * so a decision that holds this one sees sums, models and revision of a single snapshot.
 */
export class HeldPosterior {
	/** Last used first. */
	private prepared: readonly PreparedModels[] = [];
	/** What the sums before were cut from and these are not. */
	private left: Sheets | null = null;

	private constructor(
		readonly revision: number,
		private readonly kind: Kind,
		private readonly arms: ReadonlyMap<string, BucketHistory>,
		/** What sums may be cut from. */
		private readonly sheets: Sheets,
	) {}

	/** Revision 0: nothing learned. Models that are made together are cut from `spare`. */
	static empty(d: number, bucketMs: number, spare: SpareSheets): HeldPosterior {
		return new HeldPosterior(
			0,
			{ d, bucketMs, spare },
			new Map(),
			new Sheets(spare),
		);
	}

	/** Every arm's model, in the definition's order. What was not prepared before is made here, while the decision waits. */
	models(definition: Definition, referenceBucket: number): readonly ArmModel[] {
		return this.reading({ definition, referenceBucket }).of(definition);
	}

	/** Whether a decision of the bucket would find its models made. */
	isReady({ definition, referenceBucket }: Need): boolean {
		return (
			this.find({ definition, referenceBucket })?.isReady(definition) === true
		);
	}

	/** Makes the models of `needs` in slices, letting decisions through in between. */
	async prepare(needs: readonly Need[]): Promise<void> {
		for (const need of needs) await this.reading(need).ready(need.definition);
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
	 * The posterior after a read since this revision, its models for `needs` made. Null when a bucket changed that is no longer held
	 * apart: then everything must be read again. What was read may be cut from `sheets`.
	 */
	async advance(
		read: PosteriorRead,
		{ experiment: { policy } }: Definition,
		needs: readonly Need[],
		sheets = new Sheets(this.kind.spare),
	): Promise<HeldPosterior | null> {
		const slices = new Slices();
		const arms = new Map(this.arms);
		for (const changed of read.changed) {
			if (slices.used) await slices.pause();
			const history = arms.get(changed.arm) ?? emptyHistory;
			if (isHeldApart(history, changed.bucket))
				arms.set(changed.arm, replaceBucket(history, changed));
			else if (!forgets(policy)) return null;
		}
		const moved = new Set(read.changed.map((changed) => changed.arm));
		for (const arm of moved) {
			if (slices.used) await slices.pause();
			arms.set(
				arm,
				boundHistory(arms.get(arm) ?? emptyHistory, policy, this.kind.bucketMs),
			);
		}
		if (!sheets.isUncut) await leaveSheets(arms, read.changed, slices);
		const next = new HeldPosterior(
			read.revision,
			this.kind,
			arms,
			sheets.isUncut ? this.sheets : sheets,
		);
		if (!sheets.isUncut) next.left = this.sheets;
		for (const need of needs) {
			const before = this.find(need);
			if (before) next.reading(need).takeOver(before, moved);
		}
		await next.prepare(needs);
		return next;
	}

	/** Hands back the memory of the posterior before that this one has left; nothing may use that one any more. */
	giveBack(): void {
		this.left?.giveBack();
		this.left = null;
		for (const models of this.prepared) models.giveBack();
	}

	private find({
		definition: {
			experiment: { policy },
		},
		referenceBucket,
	}: Need): PreparedModels | undefined {
		return this.prepared.find((models) =>
			models.serves({ policy, referenceBucket }),
		);
	}

	/** The models of a reading, the first of those kept from now on. */
	private reading(need: Need): PreparedModels {
		const found = this.find(need);
		if (found !== undefined && found === this.prepared[0]) return found;
		const models = found ?? this.unprepared(need);
		const others = this.prepared.filter((other) => other !== models);
		this.prepared = [models, ...others].slice(0, MOST_READINGS);
		return models;
	}

	private unprepared({ definition, referenceBucket }: Need): PreparedModels {
		const { policy } = definition.experiment;
		return new PreparedModels(
			{ policy, referenceBucket },
			this.kind.d,
			{
				has: (arm) => this.arms.has(arm),
				read: (arm, reading) =>
					this.total(reading.policy, arm, reading.referenceBucket),
			},
			this.kind.spare,
		);
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
			this.kind.bucketMs,
			sumsLength(this.kind.d),
		);
	}
}

/** Sums that were read together share memory; what did not move since leaves it, so that it can be used again. */
async function leaveSheets(
	arms: Map<string, BucketHistory>,
	changed: readonly BucketSums[],
	slices: Slices,
): Promise<void> {
	const present = new Set(changed);
	for (const [arm, history] of arms) {
		if (slices.used) await slices.pause();
		const leaves = (held: BucketSums) => isCut(held.sums) && !present.has(held);
		if (!history.recent.some(leaves)) continue;
		const recent = history.recent.map((held) =>
			leaves(held) ? { ...held, sums: held.sums.slice() } : held,
		);
		arms.set(arm, { ...history, recent });
	}
}
