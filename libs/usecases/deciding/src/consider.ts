import type { Definition, JsonObject } from "#core/experiment";
import { timeOfId } from "#core/log";
import {
	type CompiledDefinition,
	CompiledDefinitions,
} from "./compiled-definition.js";
import type { Ground } from "./considered.js";
import { judgeArms } from "./judge-arms.js";
import type { Ids, LiveContext, Posteriors, Profiles } from "./ports.js";
import type { RequestContext } from "./read-context.js";
import type { DecisionRequest } from "./request.js";
import { withProducts } from "./why-missing.js";

export interface ConsiderPorts {
	readonly posteriors: Posteriors;
	readonly live: LiveContext;
	readonly ids: Ids;
	/** Absent: no unit has a profile. */
	readonly profiles?: Profiles;
}

const NO_PROFILE: JsonObject = Object.freeze({});

/** All that a decision stands on: validate, enrich, consent, encode, eligibility, and the posterior of now. */
export class Consider {
	private readonly compiled = new CompiledDefinitions();

	constructor(
		private readonly ports: ConsiderPorts,
		/** For a profile, whatever the definition's budget. */
		private readonly mostEnrichMs: number,
	) {}

	/** A promise only where a profile has to be fetched. Throws invalid (with paths), no-eligible-arm; the promise rejects with the latter. */
	execute(
		definition: Definition,
		request: DecisionRequest,
	): Ground | Promise<Ground> {
		const compiled = this.compiled.of(definition);
		const asked = compiled.readContext(request.context);
		const { enrichBudgetMs } = compiled;
		const { profiles } = this.ports;
		if (enrichBudgetMs === null || profiles === undefined)
			return this.ground(definition, compiled, request, asked, NO_PROFILE);
		const profile = profiles.lookUp(
			request.unit,
			Math.min(enrichBudgetMs, this.mostEnrichMs),
		);
		return profile instanceof Promise
			? profile.then((found) =>
					this.ground(definition, compiled, request, asked, found),
				)
			: this.ground(definition, compiled, request, asked, profile);
	}

	private ground(
		definition: Definition,
		compiled: CompiledDefinition,
		request: DecisionRequest,
		asked: RequestContext,
		profile: JsonObject | null,
	): Ground {
		const { state, bucketMs } = definition;
		const id = this.ports.ids.mint();
		const decidedAt = timeOfId(id);
		const referenceBucket = Math.floor(decidedAt / bucketMs);

		const context = compiled.gatherContext(
			asked,
			request,
			decidedAt,
			this.ports.live,
			profile,
		);
		const { x, missing } = compiled.encoder.encode(context.values);
		const arms = judgeArms(
			definition,
			compiled,
			context.values,
			request.eligible,
		);

		const posterior = this.ports.posteriors.snapshot(
			definition,
			referenceBucket,
		);
		const models =
			arms.eligible.length === posterior.models.length
				? posterior.models
				: arms.eligible.map((index) => posterior.models[index]!);

		const degraded: string[] = [];
		if (state === "paused" || state === "stopped") degraded.push(state);
		degraded.push(...context.degraded);
		if (posterior.stale) degraded.push("posterior");
		return {
			definition,
			compiled,
			id,
			decidedAt,
			referenceBucket,
			context,
			x,
			missing,
			reasons: withProducts(context.reasons, compiled.products, missing),
			arms,
			posterior,
			models,
			degraded,
		};
	}
}
