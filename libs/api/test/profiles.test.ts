import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
	GET_PROFILE_SUBJECT,
	PUT_PROFILE_SUBJECT,
	tokens,
} from "../src/index.js";
import {
	answerProfileRequest,
	type ProfileParts,
	type ProfileSubject,
} from "../src/profiles-request-reply.js";
import { decisionSchema } from "../src/schemas.js";
import { type Api, ask, morning, send, startApi } from "./app.js";

const from = "profile";
const profiled = {
	...morning,
	key: "profiled",
	context: {
		features: [
			...morning.context.features,
			{ name: "loyalty", from, kind: "number" },
			{ name: "taste", from, kind: "vector", length: 2 },
			{ name: "tier", from, kind: "category", levels: ["free", "paid"] },
			{ name: "status", from, kind: "boolean" },
		],
	},
};
const values = { loyalty: 0.5, taste: [0.25, -1], tier: "paid", status: true };

let api: Api;
beforeAll(async () => {
	api = await startApi();
	await send(api, "PUT", "/v1/experiments/profiled", profiled);
	await send(api, "POST", "/v1/experiments/profiled/start");
});
afterAll(() => api?.app.close());

const put = (unit: string, body: unknown) =>
	send(api, "PUT", `/v1/units/${encodeURIComponent(unit)}/profile`, body);
const get = (unit: string) =>
	send(api, "GET", `/v1/units/${encodeURIComponent(unit)}/profile`);

describe("a profile over REST", () => {
	test("is answered 200 with what is kept, and read as it was put", async () => {
		expect((await get("listener 1/ü")).status).toBe(404);
		expect(await put("listener 1/ü", values)).toMatchObject({
			status: 200,
			body: values,
		});
		expect(await get("listener 1/ü")).toMatchObject({
			status: 200,
			body: values,
		});
		expect((await put("listener 1/ü", { loyalty: 1 })).body).toEqual({
			loyalty: 1,
		});
		expect((await get("listener 1/ü")).body).toEqual({ loyalty: 1 });
	});

	test("is decided with at once, and explained", async () => {
		const unit = "decided";
		const request = { ...ask, experiment: "profiled", unit, explain: true };
		const before = await send(api, "POST", "/v1/decisions", request);
		expect(before.body.missing).toContain("loyalty");
		await put(unit, values);
		const { body } = await send(api, "POST", "/v1/decisions", request);
		expect(decisionSchema.parse(body)).toEqual(body);
		expect(body).toMatchObject({ missing: [], degraded: [] });
		expect(body.explanation.features).toContainEqual({
			name: "taste",
			value: [0.25, -1],
			source: "profile",
		});
		const path = `/v1/decisions/${body.decisionId}`;
		await put(unit, {});
		const again = await send(api, "GET", `${path}?explain=true`);
		expect(again.body.context).toMatchObject(values);
		expect(again.body.rederived).toMatchObject({ equal: true });
	});

	const refused: readonly [string, string, unknown, number, string?][] = [
		["an undeclared name", "u", { loyality: 1 }, 422, "loyality"],
		["free text", "u", { tier: "gold" }, 422, "tier"],
		["a wrong type", "u", { taste: [1] }, 422, "taste"],
		["a list", "u", [], 422, ""],
		["no body", "u", undefined, 400],
		["a prototype", "u", '{"__proto__": {"loyalty": 1}}', 400],
		["an infinite number", "u", '{"loyalty": 1e309}', 422, "loyalty"],
		["a unit that is none", "x".repeat(257), {}, 422, "unit"],
		["a body of 2 MB", "u", `{"a": "${"x".repeat(2_000_000)}"}`, 413],
	];
	for (const [what, unit, body, status, path] of refused)
		test(`with ${what} is refused with ${status}`, async () => {
			const answer = await put(unit, body);
			expect(answer.status).toBe(status);
			expect(answer.headers.get("content-type")).toContain("problem+json");
			if (path !== undefined) expect(answer.body.errors[0].path).toBe(path);
			expect((await get("u")).body).toMatchObject({
				type: "/docs/errors#unknown-profile",
			});
		});

	test("while the database is away is answered 503 with Retry-After", async () => {
		const failing = await startApi({
			putProfile: {
				execute: () => Promise.reject(new Error("connection terminated")),
			},
		});
		const answer = await send(failing, "PUT", "/v1/units/u/profile", {});
		await failing.app.close();
		expect(answer.status).toBe(503);
		expect(answer.headers.get("retry-after")).toBe("2");
	});

	test("other methods are told what is answered here", async () => {
		const answer = await send(api, "DELETE", "/v1/units/u/profile");
		expect(answer.status).toBe(405);
		expect(answer.headers.get("allow")).toBe("GET, HEAD, PUT");
	});
});

describe("a profile by request-reply", () => {
	async function request(
		subject: ProfileSubject,
		body: unknown,
		changes: Partial<ProfileParts> = {},
	) {
		const parts = {
			putProfile: api.app.get(tokens.putProfile),
			getProfile: api.app.get(tokens.getProfile),
			isDatabaseAway: api.app.get(tokens.isDatabaseAway),
			onUnexpected: api.app.get(tokens.onUnexpected),
			...changes,
		};
		const text = typeof body === "string" ? body : JSON.stringify(body);
		const bytes = await answerProfileRequest(
			subject,
			parts,
			new TextEncoder().encode(text),
		);
		return JSON.parse(new TextDecoder().decode(bytes));
	}

	test("is put and read, and is the one that REST shows", async () => {
		const unit = "by request";
		expect(await request(GET_PROFILE_SUBJECT, { unit })).toMatchObject({
			status: 404,
		});
		const kept = { unit, profile: values };
		expect(await request(PUT_PROFILE_SUBJECT, kept)).toEqual(kept);
		expect(await request(GET_PROFILE_SUBJECT, { unit })).toEqual(kept);
		expect((await get(unit)).body).toEqual(values);
	});

	const refused: readonly [string, ProfileSubject, unknown, number, string?][] =
		[
			["bad JSON", PUT_PROFILE_SUBJECT, "{", 400],
			["no profile", PUT_PROFILE_SUBJECT, { unit: "u" }, 422, "profile"],
			[
				"an undeclared name",
				PUT_PROFILE_SUBJECT,
				{ unit: "u", profile: { loyality: 1 } },
				422,
				"loyality",
			],
			["an unknown key", GET_PROFILE_SUBJECT, { unti: "u" }, 422, "unit"],
			["a unit that is none", GET_PROFILE_SUBJECT, { unit: "" }, 422, "unit"],
		];
	for (const [what, subject, body, status, path] of refused)
		test(`on ${subject} with ${what} is answered with a problem of status ${status}`, async () => {
			const answer = await request(subject, body);
			expect(answer).toMatchObject({ status, detail: expect.any(String) });
			if (path !== undefined)
				expect(
					answer.errors.map((error: { path: string }) => error.path),
				).toContain(path);
		});

	test("while the database is away is answered with 503, and what is unforeseen without internals", async () => {
		const failing = (message: string) => ({
			putProfile: { execute: () => Promise.reject(new Error(message)) },
			onUnexpected: (error: unknown) => void told.push(error),
		});
		const told: unknown[] = [];
		const body = { unit: "u", profile: {} };
		expect(
			await request(
				PUT_PROFILE_SUBJECT,
				body,
				failing("connection terminated"),
			),
		).toMatchObject({ status: 503, retryAfterSeconds: 2 });
		const answer = await request(PUT_PROFILE_SUBJECT, body, failing("secret"));
		expect(answer).toMatchObject({ status: 500 });
		expect(JSON.stringify(answer)).not.toContain("secret");
		expect(told).toHaveLength(1);
	});
});
