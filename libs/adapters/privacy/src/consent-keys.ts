import { importJWK, type JWK } from "jose";

/** A key that tokens may be signed with, and the only algorithm that is taken with it. */
export interface ConsentKey {
	readonly kid: string | null;
	readonly alg: string;
	readonly key: Awaited<ReturnType<typeof importJWK>>;
}

export type ReadKeys =
	| { readonly ok: true; readonly keys: readonly ConsentKey[] }
	| { readonly ok: false; readonly problems: readonly string[] };

const ALGORITHMS = ["EdDSA", "ES256", "RS256", "HS256"];
/** RFC 7518, section 3.2: a secret as long as the hash. */
const LEAST_SECRET_BYTES = 32;
const MOST_KEYS = 20;
const NAME = "SEGUE_CONSENT_KEYS";

/** The keys of a JSON Web Key Set (RFC 7517), or a sentence for each thing that is wrong, which quotes no key. */
export async function readConsentKeys(text: string): Promise<ReadKeys> {
	const list = keysOf(text);
	if (typeof list === "string") return { ok: false, problems: [list] };
	const keys: ConsentKey[] = [];
	const problems: string[] = [];
	for (const [i, jwk] of list.entries()) {
		const at = `${NAME}: keys[${i}]`;
		const problem = problemOf(jwk, list);
		if (problem !== null) {
			problems.push(`${at} ${problem}.`);
			continue;
		}
		const { alg, kid } = jwk as { alg: string; kid?: string };
		try {
			const key = await importJWK(jwk, alg);
			keys.push({ kid: kid ?? null, alg, key });
		} catch {
			problems.push(`${at} is no key for ${alg}: look at kty and its numbers.`);
		}
	}
	return problems.length > 0 ? { ok: false, problems } : { ok: true, keys };
}

function keysOf(text: string): readonly JWK[] | string {
	const shape = `${NAME} must be a JSON Web Key Set, {"keys": [{"kty": …, "alg": …, "kid": …, …}]}`;
	try {
		const { keys } = JSON.parse(text) as { keys?: unknown };
		if (!Array.isArray(keys) || keys.length === 0)
			return `${shape}, with one key at least.`;
		if (keys.length > MOST_KEYS)
			return `${NAME} has ${keys.length} keys; at most ${MOST_KEYS} are read.`;
		return keys as JWK[];
	} catch {
		return `${shape}: it is not JSON.`;
	}
}

/** As the end of a sentence. */
function problemOf(jwk: JWK, all: readonly JWK[]): string | null {
	if (typeof jwk !== "object" || jwk === null) return "is no object";
	if (!ALGORITHMS.includes(jwk.alg ?? ""))
		return `must have an alg that is one of ${ALGORITHMS.join(", ")}: no other is taken with it`;
	if (all.length > 1 && typeof jwk.kid !== "string")
		return "must have a kid, since there are several keys";
	if (all.filter((one) => one?.kid === jwk.kid).length > 1)
		return "has the kid of another key";
	if (jwk.alg === "HS256") return secretProblem(jwk);
	return jwk.d === undefined
		? null
		: "is a private key: give the public one, without d; Segue only checks signatures";
}

function secretProblem({ kty, k }: JWK): string | null {
	if (kty !== "oct" || typeof k !== "string")
		return 'must have kty "oct" and a secret k';
	return Buffer.from(k, "base64url").length >= LEAST_SECRET_BYTES
		? null
		: `must have a secret k of at least ${LEAST_SECRET_BYTES} bytes in base64url`;
}
