import {
	type Consent,
	featureProblem,
	isGoverned,
	NO_CONSENT,
	type PrivacyPolicy,
} from "#core/privacy";
import type { DeclaringDefinitions } from "#usecases/profiling";
import type { ConsentStore } from "./ports.js";

/** Names of profile features that no experiment may use for a unit with this consent. */
export function withheldFromProfiles(
	policy: PrivacyPolicy,
	definitions: DeclaringDefinitions,
	consent: Consent,
): string[] {
	const withheld = new Set<string>();
	const allowed = new Set<string>();
	for (const feature of profileFeatures(definitions)) {
		const problem = featureProblem(policy, consent, feature);
		(problem === null ? allowed : withheld).add(feature.name);
	}
	return [...withheld].filter((name) => !allowed.has(name));
}

/** What must not be kept of units' profiles, as their stored consent has it now. */
export class WithheldFromProfiles {
	constructor(
		private readonly policy: PrivacyPolicy,
		private readonly definitions: DeclaringDefinitions,
		private readonly store: Pick<ConsentStore, "read">,
	) {}

	async of(unit: string): Promise<readonly string[]> {
		const { policy, definitions } = this;
		// Where no rule touches any profile feature nothing is asked.
		if (!profileFeatures(definitions).some((one) => isGoverned(policy, one)))
			return [];
		const stored = (await this.store.read([unit])).get(unit);
		return withheldFromProfiles(
			policy,
			definitions,
			stored?.values ?? NO_CONSENT,
		);
	}
}

function profileFeatures(definitions: DeclaringDefinitions) {
	return definitions
		.all()
		.flatMap(({ experiment }) =>
			experiment.context.features.filter(({ from }) => from === "profile"),
		);
}
