import type { Consent } from "./consent.js";
import { type PrivacyPolicy, rulesFor } from "./policy.js";

/**
 * Why a value must not be used. `refused`: the unit said no. `not given`: it needs a yes, and there is none. `under age`: it is too
 * young, or nobody said that it is not. `forbidden`: nobody can allow it there. `unknown`: whether it is allowed could not be told.
 */
export type Withholding =
	| "refused"
	| "not given"
	| "under age"
	| "forbidden"
	| "unknown";

/** Whether a unit with this consent allows a purpose: null where it does. */
export function purposeProblem(
	policy: PrivacyPolicy,
	{ answers, jurisdiction, ageAtLeast }: Consent,
	purpose: string,
): Withholding | null {
	const { rules } = rulesFor(policy, jurisdiction);
	if (!policy.purposes.has(purpose)) return "forbidden";
	if (rules.forbidden.purposes.has(purpose)) return "forbidden";
	const answer = Object.hasOwn(answers, purpose) ? answers[purpose] : undefined;
	if (answer === false) return "refused";
	const { age } = rules;
	if (age?.purposes.has(purpose)) {
		const isTooYoung =
			ageAtLeast === null ? age.refuseUnknown : ageAtLeast < age.minimum;
		if (isTooYoung) return "under age";
	}
	return answer === true || !rules.optIn.has(purpose) ? null : "not given";
}

/** Whether a feature may be used for a unit with this consent: null where it may. */
export function featureProblem(
	policy: PrivacyPolicy,
	consent: Consent,
	{
		name,
		consent: purpose,
	}: { readonly name: string; readonly consent?: string | undefined },
): Withholding | null {
	const { rules } = rulesFor(policy, consent.jurisdiction);
	if (rules.forbidden.features.has(name)) return "forbidden";
	return purpose === undefined
		? null
		: purposeProblem(policy, consent, purpose);
}

/** What must be allowed before events count for live features; features with the same gate share their windows. */
export interface Gate {
	readonly key: string;
	/** A feature that is forbidden somewhere; empty for all others. */
	readonly name: string;
	readonly consent: string | undefined;
}

/** Null for a feature that no rule touches. */
export function gateOf(
	policy: PrivacyPolicy,
	feature: {
		readonly name: string;
		readonly consent?: string | undefined;
	},
): Gate | null {
	if (!isGoverned(policy, feature)) return null;
	const { consent } = feature;
	const name = isForbiddenSomewhere(policy, feature.name) ? feature.name : "";
	return { key: `${consent ?? ""} ${name}`, name, consent };
}

/** Whether some rule may withhold the feature from somebody. */
export function isGoverned(
	policy: PrivacyPolicy,
	{
		name,
		consent,
	}: { readonly name: string; readonly consent?: string | undefined },
): boolean {
	return consent !== undefined || isForbiddenSomewhere(policy, name);
}

function isForbiddenSomewhere(
	{ jurisdictions }: PrivacyPolicy,
	name: string,
): boolean {
	for (const { forbidden } of jurisdictions.values())
		if (forbidden.features.has(name)) return true;
	return false;
}
