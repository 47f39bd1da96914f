import { compileEncoder, type Encoder } from "#core/context";
import {
	compileEligibility,
	type Definition,
	type Eligibility,
	type ProductFeature,
} from "#core/experiment";
import {
	compileGathering,
	type GatherContext,
	profileFeatures,
} from "./gather-context.js";
import { compileReading, type ReadContext } from "./read-context.js";

/** Milliseconds. */
const ENRICH_BUDGET_MS = 20;

/** What a definition is made into once, for all its decisions. */
export interface CompiledDefinition {
	readonly readContext: ReadContext;
	readonly gatherContext: GatherContext;
	/** How long a decision may wait for a profile, milliseconds; null where it needs none. */
	readonly enrichBudgetMs: number | null;
	readonly encoder: Encoder;
	readonly eligibility: Eligibility;
	readonly armKeys: readonly string[];
	readonly products: readonly ProductFeature[];
}

/** Compiled definitions by their id; the oldest go first. */
export class CompiledDefinitions {
	private readonly byId = new Map<number, CompiledDefinition>();

	constructor(private readonly most = 1_000) {}

	of(definition: Definition): CompiledDefinition {
		const known = this.byId.get(definition.id);
		if (known) return known;
		const { arms, context } = definition.experiment;
		const compiled = {
			readContext: compileReading(context),
			gatherContext: compileGathering(context),
			enrichBudgetMs:
				profileFeatures(context).length === 0
					? null
					: (context.enrichBudgetMs ?? ENRICH_BUDGET_MS),
			encoder: compileEncoder(context),
			eligibility: compileEligibility(arms),
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
