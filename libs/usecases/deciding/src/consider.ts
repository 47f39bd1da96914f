import {
	type Definition,
	isPlainObject,
	type JsonObject,
} from "#core/experiment";
import { timeOfId } from "#core/log";
import type { RequestHeaders } from "./client-hints.js";
import {
	type CompiledDefinition,
	CompiledDefinitions,
} from "./compiled-definition.js";
import type { Ground } from "./considered.js";
import {
	ConsultConsent,
	type Consulted,
	WITHOUT_PRIVACY,
} from "./consult-consent.js";
import { judgeArms } from "./judge-arms.js";
import type { LiveContext, Posteriors, Privacy, Profiles } from "./ports.js";
import type { RequestContext } from "./read-context.js";
import type { DecisionRequest } from "./request.js";
import { withProducts } from "./why-missing.js";

export interface ConsiderPorts {
	readonly posteriors: Posteriors;
	readonly live: LiveContext;
	/** Absent: no unit has a profile. */
	readonly profiles?: Profiles;
	/** Absent: no unit has consented to anything. */
	readonly privacy?: Privacy;
}

/** A decision before its unit is asked about. */
interface Asked {
	readonly definition: Definition;
	readonly compiled: CompiledDefinition;
	readonly request: DecisionRequest;
	readonly id: string;
	readonly context: RequestContext;
}

const NO_PROFILE: JsonObject = Object.freeze({});

/** All that a decision stands on: validate, consent, enrich, encode, eligibility, and the posterior of now. */
export class Consider {
	private readonly compiled: CompiledDefinitions;
	private readonly consult: ConsultConsent;

	constructor(
		private readonly ports: ConsiderPorts,
		/** For what is stored of the unit, whatever the definition's budget. */
		private readonly mostEnrichMs: number,
	) {
		const privacy = ports.privacy ?? WITHOUT_PRIVACY;
		this.compiled = new CompiledDefinitions(privacy.policy);
		this.consult = new ConsultConsent(privacy);
	}

	/** A promise only where something has to be fetched. Throws invalid (with paths), no-eligible-arm; the promise rejects with them too. */
	execute(
		definition: Definition,
		request: DecisionRequest,
		/** The decision's. */
		id: string,
		headers: RequestHeaders | null = null,
	): Ground | Promise<Ground> {
		const compiled = this.compiled.of(definition);
		const { rulings, enrichBudgetMs } = compiled;
		const context = compiled.readContext(contextOf(request), headers);
		const asked = { definition, compiled, request, id, context };
		const budgetMs = Math.min(enrichBudgetMs, this.mostEnrichMs);
		const saysNothing =
			request.consent === undefined && request.consentToken === undefined;
		if (rulings === null && saysNothing)
			return this.enriched(asked, null, budgetMs);
		const startedAt = performance.now();
		const consulted = this.consult.execute(rulings, request, budgetMs);
		if (!(consulted instanceof Promise))
			return this.enriched(asked, consulted, budgetMs);
		return consulted.then((found) =>
			this.enriched(asked, found, budgetMs - (performance.now() - startedAt)),
		);
	}

	private enriched(
		asked: Asked,
		consulted: Consulted | null,
		budgetMs: number,
	): Ground | Promise<Ground> {
		const { needsProfile } =
			consulted?.ruled.gathering ?? asked.compiled.gathering;
		const { profiles } = this.ports;
		if (!needsProfile || profiles === undefined)
			return this.ground(asked, consulted, NO_PROFILE);
		const profile = profiles.lookUp(asked.request.unit, Math.max(0, budgetMs));
		return profile instanceof Promise
			? profile.then((found) => this.ground(asked, consulted, found))
			: this.ground(asked, consulted, profile);
	}

	private ground(
		{ definition, compiled, request, id, context: asked }: Asked,
		consulted: Consulted | null,
		profile: JsonObject | null,
	): Ground {
		const { state, bucketMs } = definition;
		const decidedAt = timeOfId(id);
		const referenceBucket = Math.floor(decidedAt / bucketMs);

		const { gather } = consulted?.ruled.gathering ?? compiled.gathering;
		const context = gather(
			asked,
			request,
			decidedAt,
			this.ports.live,
			profile,
			consulted?.since,
		);
		const { x, missing } = compiled.encoder.encode(context.values, true);
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
		if (consulted?.ruled.isUnknown) degraded.push("consent");
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
			ruling: consulted?.ruled.ruling ?? null,
		};
	}
}

/** To be added to. That of a request with an id stays as it was sent: its retries are known by what they ask. */
function contextOf({ requestId, context }: DecisionRequest): unknown {
	return requestId !== undefined && isPlainObject(context)
		? { ...context }
		: context;
}
