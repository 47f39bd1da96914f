import type { Problem } from "#core/experiment";
import {
	type Consent,
	NO_PRIVACY,
	NOTHING_STANDS,
	parseConsent,
	type StandingConsent,
} from "#core/privacy";
import { fail } from "#usecases/errors";
import type { Privacy } from "./ports.js";
import type { DecisionRequest } from "./request.js";
import type { Ruled, Rulings, SaidOfConsent } from "./rulings.js";

export interface Consulted {
	readonly ruled: Ruled;
	/** When the unit's stored consent began to stand, milliseconds; 0 where there is none. */
	readonly since: number;
}

/** What holds where no privacy rules were given: no purpose is known, so none is allowed. */
export const WITHOUT_PRIVACY: Privacy = {
	policy: NO_PRIVACY,
	consents: { lookUp: () => NOTHING_STANDS },
	tokens: {
		read: () => Promise.reject(badToken("no keys are configured here")),
	},
};

/** What of a decision's features its unit allows: by what is stored, by what its request says, by a token that it brings. */
export class ConsultConsent {
	constructor(private readonly privacy: Privacy) {}

	/**
	 * A promise only where something has to be fetched or a signature checked. Null where no rule touches the experiment's features: what
	 * was said is judged all the same. Throws invalid, with paths.
	 */
	execute(
		rulings: Rulings | null,
		request: DecisionRequest,
		budgetMs: number,
	): Consulted | null | Promise<Consulted | null> {
		const { consent, consentToken, unit } = request;
		const said = consent === undefined ? null : this.parsed(consent, "consent");
		if (consentToken !== undefined)
			return this.withToken(rulings, said, consentToken, unit, budgetMs);
		if (rulings === null) return null;
		const stored = this.privacy.consents.lookUp(unit, budgetMs);
		const rule = (found: StandingConsent | null) =>
			consulted(rulings, { stored: found, request: said, token: null });
		return stored instanceof Promise ? stored.then(rule) : rule(stored);
	}

	private async withToken(
		rulings: Rulings | null,
		request: Consent | null,
		consentToken: string,
		unit: string,
		budgetMs: number,
	): Promise<Consulted | null> {
		const { consents, tokens } = this.privacy;
		const [claimed, stored] = await Promise.all([
			tokens.read(consentToken, unit),
			rulings === null ? null : consents.lookUp(unit, budgetMs),
		]);
		const token = this.parsed(claimed, "consentToken.consent");
		const contradicts =
			request !== null &&
			request.jurisdiction !== null &&
			token.jurisdiction !== null &&
			request.jurisdiction !== token.jurisdiction;
		if (contradicts)
			throw invalid([
				{
					path: "consent.jurisdiction",
					message: `Is ${request.jurisdiction}, but the token says ${token.jurisdiction}: send one of them.`,
				},
			]);
		return rulings === null
			? null
			: consulted(rulings, { stored, request, token });
	}

	private parsed(raw: unknown, path: string): Consent {
		const read = parseConsent(this.privacy.policy, raw, path);
		if (!read.ok) throw invalid(read.problems);
		return read.value;
	}
}

function consulted(rulings: Rulings, said: SaidOfConsent): Consulted {
	return { ruled: rulings.rule(said), since: said.stored?.since ?? 0 };
}

function invalid(problems: readonly Problem[]): Error {
	const said = problems
		.slice(0, 5)
		.map(({ path, message }) => `${path}: ${message}`);
	return fail(
		"invalid",
		`The consent cannot be read: ${said.join(" ")}`,
		problems,
	);
}

/** @param why as the end of a sentence; never a part of the token */
export function badToken(why: string): Error {
	const message = `The token is not taken: ${why}.`;
	return fail("invalid", `consentToken: ${message}`, [
		{ path: "consentToken", message },
	]);
}
