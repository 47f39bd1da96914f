import type { Definition } from "#core/experiment";
import { timeOfId } from "#core/log";
import { CompiledDefinitions } from "./compiled-definition.js";
import type { Ground } from "./considered.js";
import { judgeArms } from "./judge-arms.js";
import type { Ids, LiveContext, Posteriors } from "./ports.js";
import type { DecisionRequest } from "./request.js";

export interface ConsiderPorts {
	readonly posteriors: Posteriors;
	readonly live: LiveContext;
	readonly ids: Ids;
}

/** All that a decision stands on: validate, enrich, consent, encode, eligibility, and the posterior of now. */
export class Consider {
	private readonly compiled = new CompiledDefinitions();

	constructor(private readonly ports: ConsiderPorts) {}

	/** Throws invalid (with paths), no-eligible-arm. */
	execute(definition: Definition, request: DecisionRequest): Ground {
		const { state, bucketMs } = definition;
		const compiled = this.compiled.of(definition);
		const id = this.ports.ids.mint();
		const decidedAt = timeOfId(id);
		const referenceBucket = Math.floor(decidedAt / bucketMs);

		const context = compiled.gatherContext(
			request.context,
			request,
			decidedAt,
			this.ports.live,
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
			arms,
			posterior,
			models,
			degraded,
		};
	}
}
