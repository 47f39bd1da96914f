import {
	exportJWK,
	exportSPKI,
	generateKeyPair,
	SignJWT,
	UnsecuredJWT,
} from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { JwtConsentTokens, readConsentKeys } from "./index.js";

const unit = "listener-1";
const consent = { personalization: true };
const secret = new Uint8Array(32).fill(7);
const shared = {
	kty: "oct",
	alg: "HS256",
	kid: "shared",
	k: Buffer.from(secret).toString("base64url"),
};

let tokens: JwtConsentTokens;
let pair: Awaited<ReturnType<typeof generateKeyPair>>;
let publicText: string;
beforeAll(async () => {
	pair = await generateKeyPair("EdDSA", { extractable: true });
	publicText = await exportSPKI(pair.publicKey);
	const jwk = await exportJWK(pair.publicKey);
	const read = await readConsentKeys(
		JSON.stringify({ keys: [{ ...jwk, alg: "EdDSA", kid: "ed" }, shared] }),
	);
	if (!read.ok) throw new Error(read.problems.join("\n"));
	tokens = new JwtConsentTokens(read.keys);
});

type Key = Parameters<SignJWT["sign"]>[0];
function signed(
	key: Key,
	header: { readonly alg: string; readonly kid?: string },
	claims: object = { sub: unit, consent },
	expires: string | null = "5m",
): Promise<string> {
	const jwt = new SignJWT({ ...claims }).setProtectedHeader(header);
	return (expires === null ? jwt : jwt.setExpirationTime(expires)).sign(key);
}
const ed = { alg: "EdDSA", kid: "ed" };
const hs = { alg: "HS256", kid: "shared" };

describe("a consent token", () => {
	it("says what its claim says, by any of the keys, whichever alg that has", async () => {
		for (const token of [
			await signed(pair.privateKey, ed),
			await signed(secret, hs),
		])
			expect(await tokens.read(token, unit)).toEqual(consent);
	});

	const refused: readonly [string, () => Promise<string> | string, RegExp][] = [
		[
			"of another unit",
			() => signed(secret, hs, { sub: "other", consent }),
			/sub is not the unit/,
		],
		["of no unit", () => signed(secret, hs, { consent }), /sub/],
		["without consent", () => signed(secret, hs, { sub: unit }), /consent/],
		["that never expires", () => signed(secret, hs, undefined, null), /exp/],
		[
			"that has expired",
			() => signed(secret, hs, undefined, "-10s"),
			/expired/,
		],
		[
			"that is not valid yet",
			() => signed(secret, hs, { sub: unit, consent, nbf: 4_000_000_000 }),
			/nbf/,
		],
		[
			"by another key",
			() => signed(new Uint8Array(32).fill(8), hs),
			/signature/,
		],
		[
			"whose kid nobody has",
			() => signed(secret, { ...hs, kid: "x" }),
			/no key has its kid/,
		],
		[
			"without kid, where there are several keys",
			() => signed(secret, { alg: "HS256" }),
			/no kid/,
		],
		[
			"signed with the public key for a secret",
			() =>
				signed(new TextEncoder().encode(publicText), {
					alg: "HS256",
					kid: "ed",
				}),
			/alg is not EdDSA/,
		],
		[
			"with an alg that no key is for",
			() => signed(new Uint8Array(64).fill(7), { alg: "HS512", kid: "shared" }),
			/alg is none/,
		],
		[
			"without a signature",
			() =>
				new UnsecuredJWT({ sub: unit, consent })
					.setExpirationTime("5m")
					.encode(),
			/./,
		],
		[
			"that was changed",
			async () =>
				(await signed(secret, hs)).replace(
					/\.[^.]+\./,
					`.${Buffer.from(JSON.stringify({ sub: unit, exp: 4_000_000_000, consent })).toString("base64url")}.`,
				),
			/signature/,
		],
		["that is none", () => "a.b", /no JSON Web Token/],
	];
	for (const [what, make, why] of refused)
		it(`${what} is refused with a sentence that holds nothing of it`, async () => {
			const token = await make();
			const error = await tokens.read(token, unit).then(
				() => null,
				(reason: unknown) => reason,
			);
			expect(error).toMatchObject({
				code: "invalid",
				status: 422,
				problems: [{ path: "consentToken" }],
			});
			expect((error as Error).message).toMatch(why);
			expect((error as Error).message).not.toContain(token);
		});

	it("is refused where no key is configured", async () => {
		const none = new JwtConsentTokens([]);
		await expect(none.read(await signed(secret, hs), unit)).rejects.toThrow(
			"an operator sets SEGUE_CONSENT_KEYS",
		);
	});
});

describe("keys of consent tokens", () => {
	const problems = async (text: unknown) => {
		const read = await readConsentKeys(
			typeof text === "string" ? text : JSON.stringify(text),
		);
		return read.ok ? [] : read.problems;
	};

	it("are refused with every mistake, and none is quoted", async () => {
		const privateKey = await exportJWK(pair.privateKey);
		const said = await problems({
			keys: [
				{ ...shared, alg: "none" },
				{ ...shared, kid: "short", k: "c2hvcnQ" },
				{ ...privateKey, alg: "EdDSA", kid: "ed" },
				{ kty: "RSA", alg: "RS256", kid: "rsa", n: "!" },
				{ ...shared, kid: "twice" },
				{ ...shared, kid: "twice" },
				{ alg: "HS256" },
				null,
			],
		});
		expect(
			said.map((each) => each.replace(/^SEGUE_CONSENT_KEYS: /, "")),
		).toEqual([
			expect.stringContaining("keys[0] must have an alg that is one of"),
			expect.stringContaining("keys[1] must have a secret k of at least 32"),
			expect.stringContaining("keys[2] is a private key"),
			expect.stringContaining("keys[3] is no key for RS256"),
			"keys[4] has the kid of another key.",
			"keys[5] has the kid of another key.",
			"keys[6] must have a kid, since there are several keys.",
			"keys[7] is no object.",
		]);
		expect(said.join()).not.toContain(shared.k);
		expect(said.join()).not.toContain(privateKey.d);
	});

	it.each([
		["{"],
		["[]"],
		['{"keys": []}'],
		[{ keys: Array(21).fill(shared) }],
	])("that are %j are refused", async (text) => {
		expect((await problems(text))[0]).toContain("SEGUE_CONSENT_KEYS");
	});
});
