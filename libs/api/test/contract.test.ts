import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
	batchAnswerSchema,
	decisionSchema,
	eventsAnswerSchema,
	experimentViewSchema,
	healthSchema,
	posteriorSchema,
	putAnswerSchema,
	unknownDecisionSchema,
} from "../src/schemas.js";
import { type Api, ask, morning, NOON, send, startApi } from "./app.js";

let api: Api;
beforeAll(async () => {
	api = await startApi();
	await send(api, "PUT", "/v1/experiments/morning", morning);
	await send(api, "POST", "/v1/experiments/morning/start", {});
});
afterAll(async () => {
	await api?.app.close();
});

describe("decisions", () => {
	test("a decision is answered 200 as documented, and found with its x, arms and propensity at once", async () => {
		const { status, body } = await send(
			api,
			"POST",
			"/v1/decisions",
			{ ...ask, explain: true },
			{
				traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
			},
		);
		expect(status).toBe(200);
		expect(decisionSchema.parse(body)).toEqual(body);
		const found = await send(api, "GET", `/v1/decisions/${body.decisionId}`);
		expect(found.status).toBe(200);
		expect(found.body).toMatchObject({
			decisionId: body.decisionId,
			arm: body.arm,
			propensity: body.propensity,
			x: body.explanation.x,
			decidedAt: new Date(NOON).toISOString(),
			traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
			learned: null,
			events: [],
		});
		expect(found.body.arms.map(({ arm }: { arm: string }) => arm)).toEqual([
			"focus",
			"energy",
		]);
		const total = found.body.arms.reduce(
			(sum: number, { propensity }: { propensity: number }) => sum + propensity,
			0,
		);
		expect(total).toBeCloseTo(1, 12);
		expect(found.body.x).toEqual(expect.arrayContaining([1]));
	});

	test("with explain=true it is explained as it was when it was served, and derived again", async () => {
		const served = await send(api, "POST", "/v1/decisions", {
			...ask,
			explain: true,
		});
		const path = `/v1/decisions/${served.body.decisionId}`;
		const { status, body } = await send(api, "GET", `${path}?explain=true`);
		expect(status).toBe(200);
		expect(body.explanation).toEqual(served.body.explanation);
		expect(body.rederived).toEqual({
			equal: true,
			differences: [],
			revision: 0,
			oldestRevision: 0,
			why: null,
		});
		expect(body.decisionId).toBe(served.body.decisionId);
		const plain = await send(api, "GET", path);
		expect(plain.body).not.toHaveProperty("explanation");
		const wrong = await send(api, "GET", `${path}?explain=perhaps`);
		expect(wrong.status).toBe(422);
	});

	test("a stored decision shows its events with their verdicts, and its reward", async () => {
		const { body } = await send(api, "POST", "/v1/decisions", ask);
		const row = api.log.rows.at(-1)!;
		const event = {
			id: "e1",
			type: "play",
			at: NOON + 1_000,
			unit: ask.unit,
			verdict: "applied",
			storedAt: NOON + 2_000,
		};
		api.reads.stored.set(row.id, {
			row,
			learned: { exposed: true, reward: 0.25, revision: 3 },
			events: [event],
		});
		const found = await send(api, "GET", `/v1/decisions/${body.decisionId}`);
		expect(found.body).toMatchObject({
			exposed: true,
			reward: 0.25,
			learned: { revision: 3 },
			events: [
				{
					id: "e1",
					verdict: "applied",
					at: "2026-01-05T12:00:01.000Z",
					storedAt: "2026-01-05T12:00:02.000Z",
				},
			],
		});
	});

	test("a retry gets its answer byte for byte; another request under its id is refused with the path", async () => {
		const first = { ...ask, requestId: "r1" };
		const answers = [];
		for (let i = 0; i < 3; i++)
			answers.push(await send(api, "POST", "/v1/decisions", first));
		expect(decisionSchema.parse(answers[0]?.body).degraded).toEqual([]);
		expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
		const other = { ...first, unit: "listener-2" };
		const { status, body } = await send(api, "POST", "/v1/decisions", other);
		expect(status).toBe(422);
		expect(body.type).toBe("/docs/errors#invalid");
		expect(body.errors).toHaveLength(1);
		expect(body.errors[0].path).toBe("requestId");
		expect(body.errors[0].message).toContain('"r1" of morning names another');
	});

	test("a sticky experiment's repeated answer says so, as documented", async () => {
		const sticky = { ...morning, key: "sticky", sticky: "unit" };
		await send(api, "PUT", "/v1/experiments/sticky", sticky);
		await send(api, "POST", "/v1/experiments/sticky/start", {});
		const request = { ...ask, experiment: "sticky" };
		const first = await send(api, "POST", "/v1/decisions", request);
		const again = await send(api, "POST", "/v1/decisions", request);
		expect(decisionSchema.parse(again.body)).toEqual({
			...first.body,
			repeated: true,
		});
	});

	test("a batch answers in order, each on its own", async () => {
		const decisions = [
			ask,
			{ ...ask, experiment: "nobody" },
			{ ...ask, context: { hour: "late" } },
			ask,
		];
		const { status, body } = await send(api, "POST", "/v1/decisions/batch", {
			decisions,
		});
		expect(status).toBe(200);
		expect(batchAnswerSchema.parse(body)).toEqual(body);
		expect(
			body.decisions.map(
				(one: { problem?: { status: number } }) => one.problem?.status ?? 200,
			),
		).toEqual([200, 404, 422, 200]);
	});

	test("is found by its id in upper case too", async () => {
		const { body } = await send(api, "POST", "/v1/decisions", ask);
		const { decisionId } = body;
		const path = `/v1/decisions/${decisionId.toUpperCase()}`;
		expect((await send(api, "GET", path)).body).toMatchObject({ decisionId });
	});

	test("an unknown id is 404, whatever it looks like", async () => {
		for (const id of [
			"019b0000-0000-7000-8000-000000000000",
			"nonsense",
			"%00",
			"x".repeat(500),
		])
			expect(
				(await send(api, "GET", `/v1/decisions/${id}`)).body,
			).toMatchObject({ status: 404, type: "/docs/errors#unknown-decision" });
	});
});

describe("an unknown decision", () => {
	test("is 404 with the events that came for it, each with its verdict, as documented", async () => {
		const id = "019b0000-0000-7000-8000-000000000001";
		const at = NOON - 1_000;
		const play = { id: "p", type: "play", unit: "u", decisionId: id, at };
		api.reads.stored.set(id, {
			row: null,
			events: [
				{ ...play, verdict: "unknown decision (waiting)", storedAt: NOON },
				{ ...play, verdict: "conflict", value: 2, storedAt: NOON },
			],
		});
		const { status, body } = await send(api, "GET", `/v1/decisions/${id}`);
		expect(status).toBe(404);
		expect(unknownDecisionSchema.parse(body)).toEqual(body);
		const shown = {
			...play,
			at: new Date(at).toISOString(),
			storedAt: new Date(NOON).toISOString(),
		};
		expect(body).toMatchObject({
			type: "/docs/errors#unknown-decision",
			detail: expect.stringContaining(id),
			events: [
				{ ...shown, verdict: "unknown decision (waiting)" },
				{ ...shown, verdict: "conflict", value: 2 },
			],
		});
	});
});

describe("events", () => {
	test("are answered 202 with those rejected and why, also when all are", async () => {
		const event = {
			id: "e1",
			type: "play",
			at: new Date(NOON).toISOString(),
			unit: "u",
		};
		const { status, body } = await send(api, "POST", "/v1/events", {
			events: [event, { ...event, valeu: 1 }],
		});
		expect(status).toBe(202);
		expect(eventsAnswerSchema.parse(body)).toEqual(body);
		expect(body).toMatchObject({ accepted: 1, rejected: [{ index: 1 }] });
		expect(api.events.at(-1)).toMatchObject({ id: "e1", at: NOON });
		expect(
			(await send(api, "POST", "/v1/events", { events: [{}] })).status,
		).toBe(202);
	});
});

describe("experiments", () => {
	test("PUT creates with 201 and edits with 200, each with its ETag, and never shows the salt", async () => {
		const evening = { ...morning, key: "evening" };
		const created = await send(api, "PUT", "/v1/experiments/evening", evening, {
			"x-segue-actor": "ada",
			"x-segue-why": "to learn",
		});
		expect(created.status).toBe(201);
		expect(putAnswerSchema.parse(created.body)).toEqual(created.body);
		expect(created.headers.get("etag")).toBe(created.body.etag);
		expect(created.body.changed).toMatchObject({
			actor: "ada",
			why: "to learn",
			action: "create",
		});
		const edited = await send(
			api,
			"PUT",
			"/v1/experiments/evening",
			{ ...evening, name: "Other" },
			{ "if-match": created.body.etag },
		);
		expect(edited).toMatchObject({
			status: 200,
			body: { changes: [expect.stringContaining("name")], newVersion: false },
		});
		const stale = await send(
			api,
			"PUT",
			"/v1/experiments/evening",
			{ ...evening, name: "Third" },
			{ "if-match": created.body.etag },
		);
		expect(stale).toMatchObject({
			status: 409,
			body: {
				type: "/docs/errors#edit-conflict",
				detail: expect.stringContaining("Other"),
			},
		});
		const got = await send(api, "GET", "/v1/experiments/evening");
		expect(experimentViewSchema.parse(got.body)).toEqual(got.body);
		expect(got.headers.get("etag")).toBe(edited.headers.get("etag"));
		const list = await send(api, "GET", "/v1/experiments");
		expect(
			list.body.experiments.map(({ key }: { key: string }) => key),
		).toEqual(["evening", "morning", "sticky"]);
		for (const answer of [created, edited, got, list])
			expect(answer.text).not.toMatch(/salt|5a5a/);
	});

	test("start, pause and stop act at once, without any body or with why and winner", async () => {
		await send(api, "PUT", "/v1/experiments/states", {
			...morning,
			key: "states",
		});
		const draft = await send(api, "POST", "/v1/decisions", {
			...ask,
			experiment: "states",
		});
		expect(draft.body).toMatchObject({
			status: 409,
			type: "/docs/errors#experiment-draft",
		});
		const started = await send(api, "POST", "/v1/experiments/states/start");
		expect(started).toMatchObject({
			status: 200,
			body: { state: "running", run: 1 },
		});
		expect(experimentViewSchema.parse(started.body)).toEqual(started.body);
		expect(
			(
				await send(api, "POST", "/v1/decisions", {
					...ask,
					experiment: "states",
				})
			).status,
		).toBe(200);
		expect(
			(
				await send(api, "POST", "/v1/experiments/states/pause", "", {
					"content-type": "application/json",
				})
			).status,
		).toBe(200);
		const paused = await send(api, "POST", "/v1/decisions", {
			...ask,
			experiment: "states",
		});
		expect(paused.body).toMatchObject({
			group: "outside",
			degraded: ["paused"],
		});
		const stopped = await send(api, "POST", "/v1/experiments/states/stop", {
			winner: "energy",
			why: "it won",
		});
		expect(stopped.body).toMatchObject({
			state: "stopped",
			winner: "energy",
			changed: { why: "it won", actor: "api" },
		});
		expect(stopped.headers.get("etag")).toBe(stopped.body.etag);
		expect(
			(
				await send(api, "POST", "/v1/decisions", {
					...ask,
					experiment: "states",
				})
			).body,
		).toMatchObject({ arm: "energy", group: "outside" });
		expect(
			(await send(api, "POST", "/v1/experiments/states/pause", {})).body,
		).toMatchObject({ status: 409, type: "/docs/errors#bad-transition" });
	});

	test("the posterior lists every arm, or one", async () => {
		const { body } = await send(
			api,
			"GET",
			"/v1/experiments/morning/posterior",
		);
		expect(posteriorSchema.parse(body)).toEqual(body);
		expect(
			body.arms.map(({ arm, n }: { arm: string; n: number }) => [arm, n]),
		).toEqual([
			["focus", 0],
			["energy", 0],
		]);
		expect(body.arms[0].A[0]).toEqual([1, 0, 0]);
		expect(
			(await send(api, "GET", "/v1/experiments/morning/posterior?arm=energy"))
				.body.arms,
		).toHaveLength(1);
		expect(
			(await send(api, "GET", "/v1/experiments/morning/posterior?arm=nobody"))
				.body,
		).toMatchObject({ status: 422, errors: [{ path: "arm" }] });
		expect(
			(await send(api, "GET", "/v1/experiments/morning/posterior?arm=a&arm=b"))
				.body,
		).toMatchObject({ status: 422, errors: [{ path: "arm" }] });
	});

	test("the ledger says how many deliveries have which verdict; '-' is what belongs to none", async () => {
		const entry = (experiment: string, verdict: string, count: number) => ({
			experiment,
			kind: "event" as const,
			verdict,
			count,
		});
		api.ledger.all.push(
			entry("morning", "duplicate", 2),
			entry("morning", "applied", 3),
			{ ...entry("morning", "logged", 4), kind: "decision" },
			entry("-", "malformed", 5),
		);
		const one = await send(api, "GET", "/v1/experiments/morning/ledger");
		expect(one.body).toEqual({
			experiment: "morning",
			deliveries: 9,
			decisions: { logged: 4 },
			events: { applied: 3, duplicate: 2 },
		});
		const none = await send(api, "GET", "/v1/experiments/-/ledger");
		expect(none.body.events).toEqual({ malformed: 5 });
		const unknown = await send(api, "GET", "/v1/experiments/nobody/ledger");
		expect(unknown.status).toBe(404);
	});

	test("the report comes as JSON, as CSV and as a page; another format is refused", async () => {
		const json = await send(api, "GET", "/v1/experiments/morning/report");
		expect(json.body).toMatchObject({
			experiment: "morning",
			version: 1,
			uniformExpected: null,
			answer: { verdict: "cannot tell" },
			lift: { kind: "always-valid", observation: "unit", estimate: null },
			freshness: { closedUntil: null },
		});
		const csv = await send(
			api,
			"GET",
			"/v1/experiments/morning/report?format=csv",
		);
		expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
		expect(csv.headers.get("content-disposition")).toContain(
			"morning-report.csv",
		);
		expect(csv.text.split("\r\n")[0]).toMatch(
			/^experiment,version,run,revision/,
		);
		const page = await send(
			api,
			"GET",
			"/v1/experiments/morning/report?format=html",
		);
		expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
		expect(page.headers.get("content-security-policy")).toMatch(
			/^default-src 'none'/,
		);
		expect(page.text).toMatch(/^<!doctype html>/);
		expect(
			(await send(api, "GET", "/v1/experiments/morning/report?format=xml"))
				.body,
		).toMatchObject({ status: 422, errors: [{ path: "format" }] });
	});
});

describe("operations", () => {
	test("live, ready and metrics", async () => {
		expect((await send(api, "GET", "/health/live")).status).toBe(200);
		const ready = await send(api, "GET", "/health/ready");
		expect(healthSchema.parse(ready.body)).toEqual({
			ready: true,
			parts: { database: { ok: true } },
		});
		const metrics = await send(api, "GET", "/metrics");
		expect(metrics.headers.get("content-type")).toMatch(
			/^text\/plain; version=0\.0\.4/,
		);
		expect(metrics.text).toContain("segue_up 1");
	});

	test("ready is 503 with every part where it is not", async () => {
		const sick = await startApi({
			health: async () => ({
				ready: false,
				parts: {
					database: { ok: false, detail: "away" },
					stream: { ok: true },
				},
			}),
		});
		const { status, body } = await send(sick, "GET", "/health/ready");
		await sick.app.close();
		expect(status).toBe(503);
		expect(body).toEqual({
			ready: false,
			parts: { database: { ok: false, detail: "away" }, stream: { ok: true } },
		});
	});

	test("every answer is told with its route's pattern, for metrics", () => {
		expect(api.answered).toContainEqual(
			expect.objectContaining({
				method: "GET",
				route: "/v1/decisions/:id",
				status: 200,
				seconds: expect.any(Number),
			}),
		);
		expect(api.answered.some(({ route }) => route.includes("listener"))).toBe(
			false,
		);
	});
});
