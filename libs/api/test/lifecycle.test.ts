import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { parseExperimentYaml } from "#core/experiment";
import { TripGuardrail } from "#usecases/defining";
import {
	everyField,
	fieldsOfSchema,
	fieldsUsed,
} from "../../../test/support/every-field.js";
import { type Api, morning, send, startApi } from "./app.js";

let api: Api;
beforeAll(async () => {
	api = await startApi();
});
afterAll(async () => {
	await api?.app.close();
});
const put = (key: string, document: object, headers = {}) =>
	send(api, "PUT", `/v1/experiments/${key}`, { ...document, key }, headers);
const post = (path: string, body?: object, headers = {}) =>
	send(api, "POST", `/v1/experiments/${path}`, body, headers);
const get = (path: string) => send(api, "GET", `/v1/experiments/${path}`);

describe("what YAML can say", () => {
	it("the API can too, and gives back as it came: every field there is", async () => {
		for (const document of everyField) {
			const written = parseExperimentYaml(stringify(document));
			if (!written.ok) throw new Error(JSON.stringify(written.problems));
			const { status, body } = await put(String(document.key), document);
			expect({ status, body }).toMatchObject({ status: 201 });
			const shown = (await get(String(document.key))).body.definition;
			const again = parseExperimentYaml(stringify(shown));
			expect(again.ok && again.value).toEqual(written.value);
			expect((await put(shown.key, shown)).body).toMatchObject({ changes: [] });
		}
		const used = everyField.flatMap((document) => fieldsUsed(document));
		expect(fieldsOfSchema().filter((field) => !used.includes(field))).toEqual(
			[],
		);
	});

	it("is in the OpenAPI document, field by field", async () => {
		const { body } = await send(api, "GET", "/docs-json");
		const { requestBody } = body.paths["/v1/experiments/{key}"].put;
		const { schema } = requestBody.content["application/json"];
		const { properties } = schema;
		expect(properties.metrics.properties.primary.required).toEqual([
			"metric",
			"smallestEffect",
			"plannedUnits",
		]);
		expect(Object.keys(properties)).toEqual(
			expect.arrayContaining(["segments", "covariate", "schedule"]),
		);
	});
});

describe("the way back", () => {
	it("leads over the audit to a former definition, which is current again under an ETag of its own", async () => {
		await put("back", morning, {
			"x-segue-actor": "ada",
			"x-segue-why": "new",
		});
		await post("back/start", { why: "go" }, { "x-segue-actor": "ada" });
		await put(
			"back",
			{ ...morning, name: "Another" },
			{ "x-segue-actor": "bob" },
		);
		const { status, body } = await get("back/audit?limit=2");
		expect(status).toBe(200);
		expect(body).toMatchObject({
			experiment: "back",
			entries: [
				{
					actor: "bob",
					action: "edit",
					changes: [`name: ${morning.name} → Another`],
					before: { definition: { name: morning.name } },
					after: { definition: { name: "Another" } },
				},
				{
					actor: "ada",
					action: "start",
					why: "go",
					before: { state: "draft" },
					after: { state: "running" },
				},
			],
		});
		expect(body.before).toBe(body.entries[1].id);
		const rest = (await get(`back/audit?before=${body.before}`)).body;
		expect(rest).toMatchObject({
			entries: [{ action: "create", why: "new", before: null }],
			before: null,
		});

		const back = await post(
			"back/rollback",
			{ to: { definition: rest.entries[0].id }, why: "it was better" },
			{ "if-match": body.entries[0].etag, "x-segue-actor": "eve" },
		);
		expect(back.status).toBe(200);
		expect(back.body).toMatchObject({
			state: "running",
			name: morning.name,
			newVersion: false,
			changes: [`name: Another → ${morning.name}`],
			changed: { action: "rollback", actor: "eve", why: "it was better" },
		});
		expect(back.headers.get("etag")).toBe(back.body.etag);
		const stale = await post(
			"back/rollback",
			{ to: { version: 1 }, why: "" },
			{ "if-match": body.entries[1].etag },
		);
		// What is asked for is there already.
		expect(stale.status).toBe(200);
		await put("back", { ...morning, name: "A third" });
		const conflict = await post(
			"back/rollback",
			{ to: { definition: rest.entries[0].id } },
			{ "if-match": back.body.etag },
		);
		expect(conflict.status).toBe(409);
		expect(conflict.body.errors).toEqual([
			{ path: "", message: `name: ${morning.name} → A third` },
		]);
	});

	it.each<[string, object | undefined, string, string]>([
		["no place to go to", {}, "to", "Required, but missing."],
		[
			"two places",
			{ to: { version: 1, definition: 1 } },
			"to",
			"Name either a version or a definition",
		],
		[
			"no place of the two",
			{ to: {} },
			"to",
			"Name either a version or a definition",
		],
		[
			"a version that is none",
			{ to: { version: 0 } },
			"to.version",
			"Must be at least 1.",
		],
		[
			"a mistyped place",
			{ to: { verson: 1 } },
			"to.verson",
			'Unknown key "verson": did you mean "version"?',
		],
		[
			"a version it never had",
			{ to: { version: 9 } },
			"to.version",
			"never had a version 9",
		],
	])("is refused for %s", async (_, body, path, message) => {
		await put("refused", morning);
		const { status, body: problem } = await post("refused/rollback", body);
		expect(status).toBe(422);
		expect(problem.errors).toContainEqual({
			path,
			message: expect.stringContaining(message),
		});
	});

	it("is refused, as the audit is, for what cannot be read or is not there", async () => {
		expect((await get("nobody/audit")).status).toBe(404);
		expect((await post("nobody/rollback", { to: { version: 1 } })).status).toBe(
			404,
		);
		for (const query of [
			"limit=0",
			"limit=101",
			"before=x",
			"before=1&before=2",
		])
			expect((await get(`refused/audit?${query}`)).status).toBe(422);
	});
});

describe("what a guardrail holds", () => {
	it("is shown with its reason, decided at control's distribution by name, and resumed by a person", async () => {
		await put("held", { ...morning, traffic: { control: 0 } });
		await post("held/start");
		await new TripGuardrail(api.store).execute({
			key: "held",
			run: 1,
			action: "control",
			why: "skip_rate is 0.41, above 0.35",
		});
		await api.definitions.refresh();
		expect((await get("held")).body).toMatchObject({
			state: "running",
			held: true,
			changed: {
				action: "guardrail",
				actor: "guardrail",
				why: "skip_rate is 0.41, above 0.35",
			},
		});
		const ask = {
			experiment: "held",
			unit: "listener-1",
			context: { hour: 8, activity: "work" },
		};
		expect((await send(api, "POST", "/v1/decisions", ask)).body).toMatchObject({
			group: "policy",
			propensity: 0.5,
			degraded: ["guardrail"],
		});
		const resumed = await post("held/resume", { why: "fixed" });
		expect(resumed).toMatchObject({
			status: 200,
			body: { state: "running", held: false, run: 2, analysis: 1 },
		});
		expect((await send(api, "POST", "/v1/decisions", ask)).body).toMatchObject({
			degraded: [],
		});
		expect((await post("held/resume")).status).toBe(409);
	});

	it("goes by a name that no request can take", async () => {
		const { status, body } = await post(
			"held/pause",
			{},
			{ "x-segue-actor": "guardrail" },
		);
		expect(status).toBe(422);
		expect(body.errors).toEqual([
			{
				path: "actor",
				message: expect.stringContaining("give the name of who does this"),
			},
		]);
	});
});

it("the plan cannot change while the experiment runs: 409 with the path, and what to do", async () => {
	await put("planned", morning);
	await post("planned/start");
	const metrics = {
		primary: { metric: "reward", smallestEffect: 0.1, plannedUnits: 500 },
	};
	const { status, body } = await put("planned", { ...morning, metrics });
	expect(status).toBe(409);
	expect(body.errors).toEqual([
		{
			path: "metrics.primary",
			message: expect.stringContaining("Stop it, change this, and start it"),
		},
	]);
	await post("planned/stop");
	expect((await put("planned", { ...morning, metrics })).status).toBe(200);
	expect((await post("planned/start")).body).toMatchObject({
		run: 2,
		analysis: 2,
	});
});
