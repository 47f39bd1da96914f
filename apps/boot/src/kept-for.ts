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
	say: (sentence: string) => void,
): number {
	const { ms, jurisdiction } = shortestKept(policy, "log");
	if (ms === null || ms >= configured * DAY_MS) return configured;
	const days = Math.floor(ms / DAY_MS);
	say(
		`the log keeps ${days} days, as the privacy rules of ${jurisdiction} say, and not the ${configured} of SEGUE_LOG_DAYS`,
	);
	return days;
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
