import { errors, type JWTHeaderParameters, jwtVerify } from "jose";
import type { ConsentTokens } from "#usecases/deciding";
import { badToken } from "#usecases/deciding";
import type { ConsentKey } from "./consent-keys.js";

/** By which the clocks of who signs and who checks may differ. */
const CLOCKS_SECONDS = 5;

/**
 * Consent in JSON Web Tokens (RFC 7519) that a configured key signed: bound to the unit by `sub`, valid until `exp`, with the claim
 * `consent`. Each key is used with its own algorithm alone, whatever the token asks for. Signatures are checked by Web Crypto, which
 * compares in constant time.
 */
export class JwtConsentTokens implements ConsentTokens {
	constructor(
		private readonly keys: readonly ConsentKey[],
		/** Whether a `sub` names the unit. */
		private readonly isUnit = (sub: string, unit: string) => sub === unit,
	) {}

	async read(token: string, unit: string): Promise<unknown> {
		if (this.keys.length === 0)
			throw badToken(
				"this Segue has no keys for tokens; an operator sets SEGUE_CONSENT_KEYS",
			);
		try {
			const { payload } = await jwtVerify(
				token,
				(header) => this.#keyFor(header).key,
				{
					algorithms: [...new Set(this.keys.map(({ alg }) => alg))],
					requiredClaims: ["exp", "sub", "consent"],
					clockTolerance: CLOCKS_SECONDS,
				},
			);
			if (!this.isUnit(payload.sub as string, unit))
				throw badToken("its sub is not the unit of the request");
			return payload.consent;
		} catch (error) {
			throw why(error);
		}
	}

	#keyFor({ kid, alg }: JWTHeaderParameters): ConsentKey {
		const [only] = this.keys;
		const found =
			kid === undefined && this.keys.length === 1
				? only
				: this.keys.find((key) => key.kid === (kid ?? null));
		if (found === undefined)
			throw badToken(
				kid === undefined
					? "it has no kid, and there are several keys"
					: "no key has its kid",
			);
		if (found.alg !== alg)
			throw badToken(`its alg is not ${found.alg}, which its key is for`);
		return found;
	}
}

function why(error: unknown): unknown {
	if (error instanceof errors.JWTExpired)
		return badToken("it has expired; ask for a new one");
	if (error instanceof errors.JWTClaimValidationFailed)
		return badToken(
			`its claim ${error.claim} is missing, or not what it must be; sub, exp and consent are needed`,
		);
	if (error instanceof errors.JWSSignatureVerificationFailed)
		return badToken("its signature is not by the key it names");
	if (error instanceof errors.JOSEAlgNotAllowed)
		return badToken("its alg is none of the configured keys'");
	if (error instanceof errors.JOSEError || error instanceof TypeError)
		return badToken("it is no JSON Web Token that can be read");
	return error;
}
