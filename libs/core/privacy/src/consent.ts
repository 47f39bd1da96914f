import { isPlainObject, nearestKey, type Problem } from "#core/experiment";
import { agesAsked, BESIDE_PURPOSES, type PrivacyPolicy } from "./policy.js";
import { JURISDICTION } from "./privacy-document.js";

/** What is known of a unit's consent from one source, or from several together. */
export interface Consent {
	/** Purposes that were answered: given or refused. */
	readonly answers: { readonly [purpose: string]: boolean };
	/** Where the unit is; null where nobody said. */
	readonly jurisdiction: string | null;
	/** Years that the unit has reached, one of those that rules ask for; null where nobody said. */
	readonly ageAtLeast: number | null;
}

export const NO_CONSENT: Consent = Object.freeze({
	answers: Object.freeze({}),
	jurisdiction: null,
	ageAtLeast: null,
});

/** What the database has of a unit, and since when: any change of it starts anew what is counted under it. */
export interface StandingConsent extends Consent {
	/** By the database's clock, milliseconds; 0 where it has nothing. */
	readonly since: number;
}

export const NOTHING_STANDS: StandingConsent = Object.freeze({
	...NO_CONSENT,
	since: 0,
});

/** As clients write and read it: `{personalization: true, jurisdiction: "eu", ageAtLeast: 16}`. */
export type WrittenConsent = {
	readonly [key: string]: boolean | string | number;
};

export function writeConsent({
	answers,
	jurisdiction,
	ageAtLeast,
}: Consent): WrittenConsent {
	return {
		...answers,
		...(jurisdiction !== null && { jurisdiction }),
		...(ageAtLeast !== null && { ageAtLeast }),
	};
}

export type ReadConsent =
	| { readonly ok: true; readonly value: Consent }
	| { readonly ok: false; readonly problems: Problem[] };

/** @param path of the object, which paths of problems begin with; empty for a body */
export function parseConsent(
	policy: PrivacyPolicy,
	raw: unknown,
	path: string,
): ReadConsent {
	if (!isPlainObject(raw))
		return {
			ok: false,
			problems: [
				{
					path,
					message:
						"Consent is an object of purposes, each true or false, with jurisdiction and ageAtLeast where they are known.",
				},
			],
		};
	const answers: { [purpose: string]: boolean } = {};
	let { jurisdiction, ageAtLeast } = NO_CONSENT;
	const problems: Problem[] = [];
	for (const [key, value] of Object.entries(raw)) {
		const problem = problemOf(policy, key, value);
		if (problem !== null)
			problems.push({ path: under(path, key.slice(0, 64)), message: problem });
		else if (key === "jurisdiction") jurisdiction = value as string;
		else if (key === "ageAtLeast") ageAtLeast = value as number;
		else answers[key] = value as boolean;
	}
	if (problems.length > 0) return { ok: false, problems };
	return { ok: true, value: { answers, jurisdiction, ageAtLeast } };
}

function problemOf(
	policy: PrivacyPolicy,
	key: string,
	value: unknown,
): string | null {
	if (key === "jurisdiction")
		return typeof value === "string" && JURISDICTION.test(value)
			? null
			: "Must be 1 to 32 lower-case letters, digits or hyphens, such as eu or us-ca.";
	if (key === "ageAtLeast") return ageProblem(agesAsked(policy), value);
	if (!policy.purposes.has(key)) return unknownPurpose(policy, key);
	return typeof value === "boolean"
		? null
		: "Must be true (given) or false (refused).";
}

/** Only what rules ask for, so that nobody's age is known any better. */
function ageProblem(ages: readonly number[], value: unknown): string | null {
	if (value === 0 || ages.includes(value as number)) return null;
	return ages.length === 0
		? "No rule asks for an age: leave it out."
		: `Must be the highest of 0, ${ages.join(", ")} that the unit has reached: no age is kept any better than rules need.`;
}

/** A sentence with the nearest purpose that is declared, or all of them. */
export function unknownPurpose(policy: PrivacyPolicy, name: string): string {
	const known = [...policy.purposes.keys()];
	const near = nearestKey(name, [...known, ...BESIDE_PURPOSES]);
	const shown = JSON.stringify(name.slice(0, 64));
	if (near !== null)
		return `No privacy file declares the purpose ${shown}: did you mean ${JSON.stringify(near)}?`;
	return known.length === 0
		? `No privacy file declares the purpose ${shown}, or any other.`
		: `No privacy file declares the purpose ${shown}. Declared are ${known.slice(0, 20).join(", ")}.`;
}

/**
 * What sources say together: a refusal by any of them stands, whoever else gives; the lowest age holds; the later source says where
 * the unit is now.
 */
export function strictest(sources: readonly Consent[]): Consent {
	const [first = NO_CONSENT, ...others] = sources;
	return others.reduce(stricter, first);
}

function stricter(a: Consent, b: Consent): Consent {
	const answers = { ...a.answers };
	for (const [purpose, given] of Object.entries(b.answers))
		answers[purpose] = given && answers[purpose] !== false;
	return {
		answers,
		jurisdiction: b.jurisdiction ?? a.jurisdiction,
		ageAtLeast:
			a.ageAtLeast === null || b.ageAtLeast === null
				? (a.ageAtLeast ?? b.ageAtLeast)
				: Math.min(a.ageAtLeast, b.ageAtLeast),
	};
}

function under(path: string, key: string): string {
	return path === "" ? key : `${path}.${key}`;
}
