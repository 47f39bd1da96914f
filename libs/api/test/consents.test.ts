import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
	answerConsentRequest,
	type ConsentParts,
	type ConsentSubject,
	GET_CONSENT_SUBJECT,
	PUT_CONSENT_SUBJECT,
} from "../src/consents-request-reply.js";
import { tokens } from "../src/index.js";
import { decisionSchema } from "../src/schemas.js";
import { type Api, morning, send, startApi } from "./app.js";

const consent = "personalization";
const governed = {
	...morning,
	key: "governed",
	arms: [{ key: "a" }, { key: "b" }],
	context: {
		features: [
			{ name: "hour", from: "request", kind: "number" },
			{ name: "mood", from: "request", kind: "number", consent },
			{ name: "loyalty", from: "profile", kind: "number", consent },
			{ name: "tempo", from: "profile", kind: "number" },
		],
	},
};
const barred = {
	...governed,
	key: "barred",
	context: { features: [{ name: "battery", from: "request", kind: "number" }] },
};

let api: Api;
beforeAll(async () => {
	api = await startApi();
	for (const experiment of [governed, barred, { ...morning, key: "free" }]) {
		const path = `/v1/experiments/${experiment.key}`;
		expect((await send(api, "PUT", path, experiment)).status).toBe(201);
		await send(api, "POST", `${path}/start`);
	}
});
afterAll(() => api?.app.close());

const path = (unit: string) => `/v1/units/${encodeURIComponent(unit)}/consent`;
const put = (unit: string, body: unknown) => send(api, "PUT", path(unit), body);
const get = (unit: string) => send(api, "GET", path(unit));
const decide = (unit: string, more: object = {}) =>
	send(api, "POST", "/v1/decisions", {
		experiment: "governed",
		unit,
		context: { hour: 8, mood: 0.5 },
		...more,
	});
const lastRow = () => api.log.rows.at(-1);

describe("a consent over REST", () => {
	test("is answered with what is kept, read as it was put, and replaced whole", async () => {
		expect((await get("unit 1/ü")).body).toEqual({});
		const whole = {
			personalization: true,
			location: false,
			jurisdiction: "ages",
			ageAtLeast: 16,
		};
		expect(await put("unit 1/ü", whole)).toMatchObject({
			status: 200,
			body: whole,
		});
		expect((await get("unit 1/ü")).body).toEqual(whole);
		await put("unit 1/ü", { location: true });
		expect((await get("unit 1/ü")).body).toEqual({ location: true });
	});

	const refused: readonly [string, unknown, number, string?, string?][] = [
		[
			"an unknown purpose",
			{ personalisation: true },
			422,
			"personalisation",
			'did you mean "personalization"?',
		],
		[
			"an answer that is none",
			{ location: "yes" },
			422,
			"location",
			"true (given) or false (refused)",
		],
		[
			"a jurisdiction that is none",
			{ jurisdiction: "the EU" },
			422,
			"jurisdiction",
			"lower-case letters",
		],
		[
			"an age better known than rules need",
			{ ageAtLeast: 17 },
			422,
			"ageAtLeast",
			"highest of 0, 16",
		],
		["a list", [], 422, ""],
		["no body", undefined, 400],
		["a prototype", '{"__proto__": {"location": true}}', 400],
		["several mistakes", { a: true, ageAtLeast: 3 }, 422, "a", "ageAtLeast: "],
	];
	for (const [what, body, status, at, said] of refused)
		test(`with ${what} is refused with ${status}, and nothing is kept`, async () => {
			const answer = await put("u", body);
			expect(answer.status).toBe(status);
			if (at !== undefined) expect(answer.body.errors[0].path).toBe(at);
			expect(answer.text).toContain(JSON.stringify(said ?? "").slice(1, -1));
			expect((await get("u")).body).toEqual({});
		});

	test("of a unit that is none is refused", async () => {
		expect((await put("x".repeat(257), {})).status).toBe(422);
	});
});

describe("a decision", () => {
	test("uses from the next one on what is given, and no longer what is withdrawn", async () => {
		const unit = "changes";
		await decide(unit);
		expect(lastRow()?.context).toEqual({ hour: 8 });
		await put(unit, { personalization: true });
		const { body } = await decide(unit, { explain: true });
		expect(decisionSchema.parse(body)).toEqual(body);
		expect(lastRow()?.context).toEqual({ hour: 8, mood: 0.5 });
		expect(lastRow()?.consent).toEqual({ personalization: true });
		await put(unit, { personalization: false });
		await decide(unit);
		expect(lastRow()?.context).toEqual({ hour: 8 });
		expect(lastRow()?.extra).toMatchObject({
			privacy: {
				jurisdiction: "asks",
				withheld: { mood: "refused", loyalty: "refused" },
			},
		});
	});

	test("shows in its log what was dropped and under which rules, and comes out again", async () => {
		const { body } = await decide("shown");
		const again = await send(
			api,
			"GET",
			`/v1/decisions/${body.decisionId}?explain=true`,
		);
		expect(again.body).toMatchObject({
			consent: { personalization: false },
			privacyVersion: expect.stringMatching(/^[0-9a-f]{16}$/),
			extra: { privacy: { withheld: { mood: "not given" } } },
			rederived: { equal: true },
		});
		expect(again.body.explanation.features).toContainEqual({
			name: "mood",
			value: null,
			source: "request",
			reason: "no consent",
			withheld: "not given",
		});
	});

	test("takes the strictest of what is stored, said and signed; where the unit is, the request says", async () => {
		const yes = { personalization: true };
		const no = { personalization: false };
		const used = async (stored: object, more: object) => {
			const unit = `strict-${JSON.stringify([stored, more])}`.slice(0, 250);
			await put(unit, stored);
			await decide(unit, more);
			return lastRow()?.context.mood !== undefined;
		};
		const token = (said: object) => ({ consentToken: JSON.stringify(said) });
		expect(await used({}, { consent: yes })).toBe(true);
		expect(await used(no, { consent: yes })).toBe(false);
		expect(await used(yes, { consent: no })).toBe(false);
		expect(await used(no, token(yes))).toBe(false);
		expect(await used(yes, { consent: yes, ...token(no) })).toBe(false);
		expect(await used({}, { consent: { jurisdiction: "lets" } })).toBe(true);
		expect(
			await used(
				{ jurisdiction: "lets" },
				{ consent: { jurisdiction: "asks" } },
			),
		).toBe(false);
		const ages = { ...yes, jurisdiction: "ages" };
		expect(await used({ ...ages, ageAtLeast: 16 }, {})).toBe(true);
		expect(
			await used({ ...ages, ageAtLeast: 16 }, { consent: { ageAtLeast: 0 } }),
		).toBe(false);
	});

	test("whose request and token name two places is refused", async () => {
		const { status, body } = await decide("u", {
			consent: { jurisdiction: "lets" },
			consentToken: '{"jurisdiction": "asks"}',
		});
		expect(status).toBe(422);
		expect(body.errors[0].path).toBe("consent.jurisdiction");
	});

	const wrong: readonly [string, object, string][] = [
		["an unknown purpose", { consent: { locatoin: true } }, "consent.locatoin"],
		["no object", { consent: [] }, "consent"],
		[
			"a token that says something unknown",
			{ consentToken: '{"x": true}' },
			"consentToken.consent.x",
		],
		["an empty token", { consentToken: "" }, "consentToken"],
	];
	for (const experiment of ["governed", "free"])
		for (const [what, more, at] of wrong)
			test(`of ${experiment} that says ${what} is refused with its path`, async () => {
				const context = {};
				const answer = await decide("u", { experiment, context, ...more });
				expect(answer.status).toBe(422);
				expect(answer.body.errors[0].path).toBe(at);
			});

	test("of an experiment that needs no consent asks nothing about its unit, and logs none", async () => {
		const asked = api.consented.questions.length;
		await decide("free-unit", { experiment: "free", context: { hour: 1 } });
		expect(api.consented.questions).toHaveLength(asked);
		expect(lastRow()).toMatchObject({
			consent: null,
			privacyVersion: null,
			extra: null,
		});
	});

	test("goes without a feature that its jurisdiction forbids, and with it elsewhere", async () => {
		const ask = async (jurisdiction: string) => {
			await decide(`in ${jurisdiction}`, {
				experiment: "barred",
				context: { battery: 0.5 },
				consent: { jurisdiction },
			});
			return lastRow();
		};
		expect((await ask("lets"))?.context).toEqual({ battery: 0.5 });
		const row = await ask("bars");
		expect(row?.context).toEqual({});
		expect(row?.extra).toMatchObject({
			privacy: { jurisdiction: "bars", withheld: { battery: "forbidden" } },
		});
	});

	test("leaves out all that needs consent while that cannot be told, and says so", async () => {
		await put("silent", { personalization: true });
		api.consented.away = true;
		try {
			// In memory, and heard of.
			expect((await decide("silent")).body.degraded).toEqual([]);
			const unknown = { consent: { personalization: true }, explain: true };
			const { body } = await decide("silent-too", unknown);
			expect(body.degraded).toContain("consent");
			expect(body.explanation.features[1]).toMatchObject({
				name: "mood",
				value: null,
				reason: "over budget",
				withheld: "unknown",
			});
			expect(lastRow()?.context).toEqual({ hour: 8 });
			const again = await send(
				api,
				"GET",
				`/v1/decisions/${body.decisionId}?explain=true`,
			);
			expect(again.body.rederived).toMatchObject({ equal: true });
		} finally {
			api.consented.away = false;
		}
	});
});

describe("a profile", () => {
	const profile = (unit: string) => `/v1/units/${unit}/profile`;
	const both = { loyalty: 0.5, tempo: 120 };

	test("is kept only as far as the unit allows, and a withdrawal deletes the rest", async () => {
		const unit = "profiled";
		const before = await send(api, "PUT", profile(unit), both);
		expect(before.body).toEqual({ tempo: 120 });
		await put(unit, { personalization: true });
		expect((await send(api, "PUT", profile(unit), both)).body).toEqual(both);
		await decide(unit);
		expect(lastRow()?.context).toMatchObject(both);
		await put(unit, { personalization: false });
		expect((await send(api, "GET", profile(unit))).body).toEqual({
			tempo: 120,
		});
		await put(unit, { personalization: true });
		await decide(unit);
		expect(lastRow()?.missing).toContain("loyalty");
	});
});

test("an experiment with a purpose that no file declares is refused with the nearest", async () => {
	const features = [
		{ name: "x", from: "request", kind: "number", consent: "locations" },
	];
	const answer = await send(api, "PUT", "/v1/experiments/wrong", {
		...governed,
		key: "wrong",
		context: { features },
	});
	expect(answer.status).toBe(422);
	expect(answer.body.errors).toEqual([
		{
			path: "context.features[0].consent",
			message:
				'No privacy file declares the purpose "locations": did you mean "location"?',
		},
	]);
});

describe("a consent by request-reply", () => {
	async function request(
		subject: ConsentSubject,
		body: unknown,
		changes: Partial<ConsentParts> = {},
	) {
		const parts = {
			putConsent: api.app.get(tokens.putConsent),
			getConsent: api.app.get(tokens.getConsent),
			isDatabaseAway: api.app.get(tokens.isDatabaseAway),
			onUnexpected: api.app.get(tokens.onUnexpected),
			...changes,
		};
		const text = typeof body === "string" ? body : JSON.stringify(body);
		const bytes = await answerConsentRequest(
			subject,
			parts,
			new TextEncoder().encode(text),
		);
		return JSON.parse(new TextDecoder().decode(bytes));
	}

	test("is put and read, and is the one that REST shows", async () => {
		const unit = "by request";
		const nothing = { unit, consent: {} };
		expect(await request(GET_CONSENT_SUBJECT, { unit })).toEqual(nothing);
		const kept = { unit, consent: { location: false, jurisdiction: "lets" } };
		expect(await request(PUT_CONSENT_SUBJECT, kept)).toEqual(kept);
		expect(await request(GET_CONSENT_SUBJECT, { unit })).toEqual(kept);
		expect((await get(unit)).body).toEqual(kept.consent);
	});

	const refused: readonly [string, ConsentSubject, unknown, number][] = [
		["bad JSON", PUT_CONSENT_SUBJECT, "{", 400],
		["no consent", PUT_CONSENT_SUBJECT, { unit: "u" }, 422],
		[
			"an unknown purpose",
			PUT_CONSENT_SUBJECT,
			{ unit: "u", consent: { x: true } },
			422,
		],
		["an unknown key", GET_CONSENT_SUBJECT, { unti: "u" }, 422],
	];
	for (const [what, subject, body, status] of refused)
		test(`on ${subject} with ${what} is answered with a problem of status ${status}`, async () => {
			expect(await request(subject, body)).toMatchObject({
				status,
				detail: expect.any(String),
			});
		});

	test("while the database is away is answered with 503", async () => {
		const away = {
			putConsent: {
				execute: () => Promise.reject(new Error("connection terminated")),
			},
		};
		const body = { unit: "u", consent: {} };
		expect(await request(PUT_CONSENT_SUBJECT, body, away)).toMatchObject({
			status: 503,
			retryAfterSeconds: 2,
		});
	});
});
