import type { UnitRetention, UnitSpans } from "#adapters/postgres";
import {
	keptByJurisdiction,
	type PrivacyPolicy,
	shortestKept,
} from "#core/privacy";

const DAY_MS = 86_400_000;

/** Days of the log that are kept, today's included: no more than any jurisdiction allows, since its days hold units of all. */
export function logDays(
	configured: number,
	policy: PrivacyPolicy,
): { readonly days: number; readonly jurisdiction: string | null } {
	const { ms, jurisdiction } = shortestKept(policy, "log");
	const days =
		ms === null ? Number.POSITIVE_INFINITY : Math.floor(ms / DAY_MS);
	return days < configured
		? { days, jurisdiction }
		: { days: configured, jurisdiction: null };
}

/** How long profiles and consents are kept, by where their unit is. */
export function unitRetention(policy: PrivacyPolicy): UnitRetention {
	const profile = keptByJurisdiction(policy, "profile");
	const consent = keptByJurisdiction(policy, "consent");
	const ids = keptByJurisdiction(policy, "ids");
	const spansOf = (name: string): UnitSpans => ({
		profile: profile.get(name) ?? null,
		consent: consent.get(name) ?? null,
		ids: ids.get(name) ?? null,
	});
	return {
		byJurisdiction: new Map(
			[...policy.jurisdictions.keys()].map((name) => [name, spansOf(name)]),
		),
		otherwise: spansOf(policy.defaultJurisdiction),
	};
}
