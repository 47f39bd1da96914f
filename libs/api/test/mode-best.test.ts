import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileEncoder } from "#core/context";
import { addObservation, emptySums } from "#core/policy";
import { batchAnswerSchema, decisionSchema } from "../src/schemas.js";
import { type Api, ask, morning, send, startApi } from "./app.js";

/** By its own rule not eligible asleep. */
const [focus, energy] = morning.arms;
const calm = { key: "calm", payload: { text: "Slow down" } };
const prompts = { ...morning, key: "prompts", arms: [focus, energy, calm] };
const asleep = { ...ask.context, activity: "sleep" };

let api: Api;
beforeAll(async () => {
	api = await startApi();
	for (const experiment of [
		prompts,
		{ ...prompts, key: "sticking", sticky: "unit" },
	]) {
		const { key } = experiment;
		const path = `/v1/experiments/${key}`;
		expect((await send(api, "PUT", path, experiment)).status).toBe(201);
		await send(api, "POST", `${path}/start`);
		const { context } = (await api.store.find(key))!.experiment;
		const { d, encode } = compileEncoder(context);
		const taught = { focus: 0.25, energy: 1, calm: 0.5 };
		const learned = Object.entries(taught).map(([arm, reward]) => {
			const sums = emptySums(d);
			addObservation(sums, d, encode(ask.context).x, 10, 10 * reward);
			return { arm, bucket: 20_000, sums };
		});
		api.source.learn(key, 1, learned);
	}
	await api.posteriors.poll();
});
afterAll(() => api?.app.close());

/** The second is left to the controller. */
const types = ["application/json", "application/json;charset=utf-8"];

const best = (
	request: object = {},
	headers: Record<string, string> = {},
	path = "/v1/decisions",
) => {
	const one = { ...ask, experiment: "prompts", mode: "best", ...request };
	const body = path.endsWith("batch") ? { decisions: [one] } : one;
	return send(api, "POST", path, body, headers);
};

/** Nothing but this: neither a decision that an outcome could name nor a chance. */
const keys = [
	"mode",
	"experiment",
	"version",
	"arm",
	"payload",
	"revision",
	"missing",
	"ignored",
	"degraded",
];

function expectUndrawn(body: object, more: readonly string[] = []): void {
	expect(Object.keys(body)).toEqual([...keys, ...more]);
	expect(body).toMatchObject({ mode: "best", revision: 1, degraded: [] });
	expect(api.log.rows).toEqual([]);
	expect(api.events).toEqual([]);
}

describe.each(types)("an answer in mode best to %s", (type) => {
	const headers = { "content-type": type };

	test.each<[string, object, string]>([
		["the best arm", {}, "energy"],
		["the best but the one ruled out", { context: asleep }, "calm"],
		["the best of those asked for", { eligible: ["focus", "calm"] }, "calm"],
		["one arm", { context: asleep, eligible: ["focus", "energy"] }, "focus"],
	])(
		"is %s, with no decision, no chance and nothing logged",
		async (_, request, arm) => {
			const { status, body } = await best(request, headers);
			expect(status).toBe(200);
			expect(decisionSchema.parse(body)).toEqual(body);
			expectUndrawn(body);
			expect(body.arm).toBe(arm);
			const batch = await best(request, headers, "/v1/decisions/batch");
			expect(batchAnswerSchema.parse(batch.body)).toEqual(batch.body);
			expect(batch.body.decisions).toEqual([body]);
			expect(api.log.rows).toEqual([]);
		},
	);

	test.each<[string, object]>([
		["a requestId", { requestId: "r1" }],
		["a session", { session: "s1" }],
		["a unit whose decisions stick", { experiment: "sticking" }],
		["both", { experiment: "sticking", requestId: "r1" }],
	])("is the same, and keeps nothing, with %s", async (_, request) => {
		for (let i = 0; i < 2; i++) {
			const { body } = await best(request, headers);
			expectUndrawn(body);
			expect(body.arm).toBe("energy");
		}
	});

	test("explained has the arms' means and says nothing of chances", async () => {
		const { body } = await best({ context: asleep, explain: true }, headers);
		expectUndrawn(body, ["explanation"]);
		expect(body.explanation).toMatchObject({
			kind: "best",
			arms: [
				{ arm: "focus", eligible: true, propensity: null },
				{ arm: "energy", eligible: false, propensity: null },
				{ arm: "calm", eligible: true, propensity: null },
			],
		});
	});

	test("is a problem, with nothing logged, where no arm is eligible", async () => {
		const request = { context: asleep, eligible: ["energy"] };
		const { status, body } = await best(request, headers);
		expect(status).toBe(409);
		expect(body.type).toBe("/docs/errors#no-eligible-arm");
		expect(api.log.rows).toEqual([]);
	});
});

test.each(["paused", "retired"])(
	"the best arm, once %s, is answered no more",
	async (state) => {
		const put = (document: object) =>
			send(api, "PUT", "/v1/experiments/prompts", document);
		const arms = [focus, { ...energy, state }, calm];
		expect((await put({ ...prompts, arms })).body.newVersion).toBe(false);
		for (const type of types) {
			const { body } = await best({}, { "content-type": type });
			expectUndrawn(body);
			expect(body.arm).toBe("calm");
		}
	},
);

test("what is drawn afterwards is the first that is logged, under the same requestId and for the same unit", async () => {
	const request = { ...ask, experiment: "sticking", requestId: "r1" };
	const { status, body } = await send(api, "POST", "/v1/decisions", request);
	expect(status).toBe(200);
	expect(body).not.toHaveProperty("repeated");
	expect(api.log.rows.map(({ id }) => id)).toEqual([body.decisionId]);
});
