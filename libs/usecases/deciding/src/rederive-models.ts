import type { Definition, Policy } from "#core/experiment";
import { NotPositiveDefinite } from "#core/linalg";
import type { DecisionRow } from "#core/log";
import type { ArmModel } from "#core/policy";
import type { CompiledDefinition } from "./compiled-definition.js";
import { HeldPosterior, newSpareSheets } from "./held-posterior.js";
import { impossible, type Rederivation, rederive } from "./rederive.js";
import type { SumsTimeline } from "./rederive-ports.js";

/** When and with what a decision was made. */
interface PastNeed {
	readonly definition: Definition;
	/** Length of x. */
	readonly d: number;
	readonly revision: number;
	readonly referenceBucket: number;
}

/**
 * The models of one experiment version's past: what a decider that read each revision would have held. A policy that forgets drops
 * what weighs nothing, so each way of forgetting has its own.
 */
export class PastModels {
	private readonly held = new Map<string, HeldPosterior>();
	private revision = Number.NaN;

	constructor(readonly timeline: SumsTimeline) {}

	/** Makes a decision again with the models of its revision. Rejects as the timeline does. */
	async rederive(
		row: DecisionRow,
		definition: Definition,
		compiled: CompiledDefinition,
		signal?: AbortSignal,
	): Promise<Rederivation> {
		const { revision, referenceBucket } = row;
		const { d } = compiled.encoder;
		const need = { definition, d, revision, referenceBucket };
		try {
			const models = await this.at(need, signal);
			return rederive(row, definition, compiled, models);
		} catch (error) {
			// A decider whose sums give no models decides with nothing learned, and says revision 0.
			if (error instanceof NotPositiveDefinite) return impossible(error);
			throw error;
		}
	}

	/** One model per arm of the definition. Throws NotPositiveDefinite where none can be made of the sums. */
	private async at(
		need: PastNeed,
		signal?: AbortSignal,
	): Promise<readonly ArmModel[]> {
		await this.moveTo(need, signal);
		const { definition, referenceBucket } = need;
		const key = forgettingOf(definition.experiment.policy);
		let held = this.held.get(key);
		if (held === undefined) {
			held = await this.readWhole(need);
			this.held.set(key, held);
		}
		await held.prepare([{ definition, referenceBucket }]);
		return held.models(definition, referenceBucket);
	}

	private async moveTo(need: PastNeed, signal?: AbortSignal): Promise<void> {
		if (need.revision === this.revision) return;
		const forwards = need.revision > this.revision;
		this.revision = Number.NaN;
		const changed = await this.timeline.moveTo(need.revision, signal);
		this.revision = need.revision;
		const key = forgettingOf(need.definition.experiment.policy);
		const before = this.held.get(key);
		this.held.clear();
		// Backwards, buckets that were dropped for weighing nothing may weigh again.
		if (before === undefined || !forwards) return;
		const read = { revision: need.revision, changed };
		const next = await before.advance(read, need.definition, [need]);
		if (next !== null) this.held.set(key, next);
	}

	private async readWhole({
		definition,
		d,
		revision,
	}: PastNeed): Promise<HeldPosterior> {
		const nothing = HeldPosterior.empty(
			d,
			definition.bucketMs,
			newSpareSheets(),
		);
		const read = { revision, changed: this.timeline.all() };
		// Never null: from nothing, every bucket is held apart.
		return (await nothing.advance(read, definition, [])) ?? nothing;
	}
}

const forgettingOf = ({ halfLifeMs, slidingWindowMs }: Policy): string =>
	`${halfLifeMs ?? ""}/${slidingWindowMs ?? ""}`;
