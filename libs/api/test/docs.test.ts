import { afterAll, beforeAll, expect, test } from "vitest";
import { parseEvent } from "#core/log";
import { errorCatalogue } from "#usecases/errors";
import { eventSchema } from "../src/schemas.js";
import { type Api, send, startApi } from "./app.js";

let api: Api;
beforeAll(async () => {
	api = await startApi();
});
afterAll(async () => {
	await api?.app.close();
});

test("/docs shows the interface and /docs-json describes every route with the schemas that validate", async () => {
	const page = await send(api, "GET", "/docs");
	expect(page.status).toBe(200);
	expect(page.text).toMatch(/swagger/i);
	expect((await send(api, "GET", "/docs/swagger-ui-bundle.js")).status).toBe(
		200,
	);

	const { body } = await send(api, "GET", "/docs-json");
	const routes = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
		Object.keys(methods).map((method) => `${method} ${path}`),
	);
	expect(routes.sort()).toEqual(
		[
			"get /health/live",
			"get /health/ready",
			"get /metrics",
			"delete /v1/units/{unit}",
			"get /v1/units/{unit}/consent",
			"get /v1/units/{unit}/profile",
			"put /v1/units/{unit}/consent",
			"put /v1/units/{unit}/profile",
			"get /v1/decisions/{id}",
			"get /v1/experiments",
			"get /v1/experiments/{key}",
			"get /v1/experiments/{key}/context",
			"get /v1/experiments/{key}/guardrails",
			"get /v1/experiments/{key}/ledger",
			"get /v1/experiments/{key}/posterior",
			"get /v1/experiments/{key}/report",
			"post /v1/decisions",
			"post /v1/decisions/batch",
			"post /v1/events",
			"get /v1/experiments/{key}/audit",
			"post /v1/experiments/{key}/pause",
			"post /v1/experiments/{key}/resume",
			"post /v1/experiments/{key}/rollback",
			"post /v1/experiments/{key}/start",
			"post /v1/experiments/{key}/stop",
			"put /v1/experiments/{key}",
		].sort(),
	);
	for (const path of ["/v1/decisions", "/v1/decisions/batch"])
		expect(body.paths[path].post.parameters).toEqual([
			expect.objectContaining({ name: "traceparent", required: false }),
		]);
	const decide = body.paths["/v1/decisions"].post;
	expect(decide.requestBody.content["application/json"].schema).toMatchObject({
		required: ["experiment", "unit"],
		additionalProperties: false,
	});
	expect(Object.keys(decide.responses)).toEqual(
		expect.arrayContaining(["200", "400", "404", "409", "413", "422", "503"]),
	);
	expect(
		decide.responses["200"].content["application/json"].schema.properties
			.propensity,
	).toBeDefined();
	const unknown = body.paths["/v1/decisions/{id}"].get.responses["404"];
	const [judged, malformed] =
		unknown.content["application/problem+json"].schema.properties.events.items
			.anyOf;
	expect(judged.properties.verdict.enum).toContain(
		"unknown decision (waiting)",
	);
	expect(Object.keys(malformed.properties)).toContain("detail");
	const put =
		body.paths["/v1/experiments/{key}"].put.requestBody.content[
			"application/json"
		].schema;
	expect(put.required).toEqual(
		expect.arrayContaining(["key", "arms", "reward"]),
	);
});

test("a problem's type leads to a page with that code", async () => {
	const { text } = await send(api, "GET", "/docs/errors");
	for (const code of Object.keys(errorCatalogue))
		expect(text).toContain(`id="${code}"`);
});

test("the documented event is the one that is accepted: same keys, same answers", () => {
	const event = {
		id: "e1",
		type: "play",
		at: "2026-01-05T12:00:00Z",
		unit: "u",
		decisionId: "019b0000-0000-7000-8000-000000000000",
		value: 0.5,
		session: "s",
		item: "track",
		slot: 3,
		properties: { a: 1 },
	};
	const retract = {
		id: "e2",
		type: "retract",
		at: 1_767_614_400_000,
		unit: "u",
		decisionId: event.decisionId,
		retracts: "e1",
	};
	const wrong = Object.keys(eventSchema.shape).map((key) => ({
		...event,
		[key]: key === "properties" ? 1 : {},
	}));
	const samples: unknown[] = [
		event,
		retract,
		{ ...event, valeu: 1 },
		{ id: "e" },
		[],
		...wrong,
	];
	for (const sample of samples)
		expect(eventSchema.safeParse(sample).success, JSON.stringify(sample)).toBe(
			parseEvent(sample).ok,
		);
	expect([event, retract].map((sample) => parseEvent(sample).ok)).toEqual([
		true,
		true,
	]);
	expect(Object.keys({ ...event, ...retract }).sort()).toEqual(
		Object.keys(eventSchema.shape).sort(),
	);
});
