import { compileEncoder, type Encoder } from "#core/context";
import {
	compileEligibility,
	compileVariants,
	type Definition,
	type Eligibility,
	type PayloadVariants,
	type ProductFeature,
} from "#core/experiment";
import { NO_PRIVACY, type PrivacyPolicy } from "#core/privacy";
import { compileGathering, type Gathering } from "./gather-context.js";
import { compileReading, type ReadContext } from "./read-context.js";
import { compileRulings, type Rulings } from "./rulings.js";

/** Milliseconds. */
const ENRICH_BUDGET_MS = 20;

/** What a definition is made into once, for all its decisions. */
export interface CompiledDefinition {
	readonly readContext: ReadContext;
	/** Of all its features. */
	readonly gathering: Gathering;
	/** Null where no privacy rule touches its features, so that nothing is asked about the unit. */
	readonly rulings: Rulings | null;
	/** How long a decision may wait for what is stored of its unit, milliseconds. */
	readonly enrichBudgetMs: number;
	readonly encoder: Encoder;
	readonly eligibility: Eligibility;
	/** Null where each arm has one payload for all. */
	readonly variants: PayloadVariants | null;
	readonly armKeys: readonly string[];
	readonly products: readonly ProductFeature[];
}

/** Compiled definitions by their id; the oldest go first. */
export class CompiledDefinitions {
	private readonly byId = new Map<number, CompiledDefinition>();

	constructor(
		private readonly policy: PrivacyPolicy = NO_PRIVACY,
		private readonly most = 1_000,
	) {}

	of(definition: Definition): CompiledDefinition {
		const known = this.byId.get(definition.id);
		if (known) return known;
		const { arms, context } = definition.experiment;
		const compiled = {
			readContext: compileReading(context),
			gathering: compileGathering(context),
			rulings: compileRulings(context, this.policy),
			enrichBudgetMs: context.enrichBudgetMs ?? ENRICH_BUDGET_MS,
			encoder: compileEncoder(context),
			eligibility: compileEligibility(arms),
			variants: compileVariants(arms),
			armKeys: arms.map((arm) => arm.key),
			products: context.features.filter(
				(feature) => feature.kind === "product",
			),
		};
		this.byId.set(definition.id, compiled);
		for (const oldest of this.byId.keys()) {
			if (this.byId.size <= this.most) break;
			this.byId.delete(oldest);
		}
		return compiled;
	}
}
