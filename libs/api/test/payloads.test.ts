import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decisionSchema } from "../src/schemas.js";
import { type Api, ask, morning, send, startApi } from "./app.js";

const bitrate = {
	name: "bitrate",
	from: "request",
	kind: "attribute",
	type: "number",
	hint: "bitrate",
};
const high = { when: "context.bitrate >= 1000", payload: { stream: "flac" } };
const low = { when: "context.bitrate < 96", payload: { stream: "opus-24" } };
const varied = {
	...morning,
	key: "varied",
	arms: [
		{ key: "focus", payload: { stream: "aac-128" }, payloads: [high, low] },
		{ key: "plain", payload: { stream: "one for all" } },
	],
	context: { features: [...morning.context.features, bitrate] },
};

let api: Api;
beforeAll(async () => {
	api = await startApi();
	for (const experiment of [
		varied,
		{ ...varied, key: "sticking", sticky: "unit" },
	]) {
		const path = `/v1/experiments/${experiment.key}`;
		expect((await send(api, "PUT", path, experiment)).status).toBe(201);
		await send(api, "POST", `${path}/start`);
	}
});
afterAll(() => api?.app.close());

const decide = (
	context: object,
	changes: object = {},
	headers: Record<string, string> = {},
) =>
	send(
		api,
		"POST",
		"/v1/decisions",
		{ ...ask, experiment: "varied", eligible: ["focus"], context, ...changes },
		headers,
	);

describe("an arm with several payloads", () => {
	test.each([
		[{ bitrate: 1411 }, "flac", high.when],
		[{ bitrate: 64 }, "opus-24", low.when],
		[{ bitrate: 320 }, "aac-128", null],
		[{}, "aac-128", null],
	])(
		"answers %o with the first whose rule holds: %s; explained, and the same again",
		async (context, stream, when) => {
			expect((await decide(context)).body.payload).toEqual({ stream });
			const { body } = await decide(context, { explain: true });
			expect(decisionSchema.parse(body)).toEqual(body);
			expect(body.payload).toEqual({ stream });
			expect(body.explanation.payload).toEqual({ when, value: { stream } });
			const path = `/v1/decisions/${body.decisionId}?explain=true`;
			const again = await send(api, "GET", path);
			expect(again.body.rederived).toMatchObject({ equal: true });
			expect(again.body.explanation).toEqual(body.explanation);
			const best = await decide(context, { mode: "best" });
			expect(best.body.payload).toEqual({ stream });
		},
	);

	test("goes by a client hint where the context says nothing", async () => {
		const { body } = await decide({}, {}, { downlink: "10" });
		expect(body.payload).toEqual({ stream: "flac" });
	});

	test("says nothing more of an arm that has one payload for all", async () => {
		const { body } = await decide(
			{ bitrate: 1411 },
			{ eligible: ["plain"], explain: true },
		);
		expect(body.payload).toEqual({ stream: "one for all" });
		expect(body.explanation).not.toHaveProperty("payload");
	});

	test("gives whoever asks again the same arm with the payload that fits now; a requestId gives the same one", async () => {
		const changes = { experiment: "sticking", unit: "sticky" };
		const first = await decide({ bitrate: 1411 }, changes);
		const second = await decide({ bitrate: 64 }, changes);
		expect(second.body).toMatchObject({
			decisionId: first.body.decisionId,
			payload: { stream: "opus-24" },
			repeated: true,
		});
		// Also where another arm would have been drawn now.
		const eligible = ["focus", "plain"];
		for (let i = 0; i < 20; i++) {
			const { body } = await decide({ bitrate: 64 }, { ...changes, eligible });
			expect(body.payload).toEqual({ stream: "opus-24" });
		}
		const named = { requestId: "r1" };
		const hinted = await decide({}, named, { downlink: "10" });
		expect((await decide({}, named)).body).toEqual(hinted.body);
	});

	test("changes without a new version", async () => {
		const path = "/v1/experiments/varied";
		const { body } = await send(api, "GET", path);
		expect(body.definition.arms[0].payloads).toEqual([high, low]);
		const [focus, plain] = body.definition.arms;
		const changed = { ...focus, payloads: [low] };
		const put = await send(api, "PUT", path, {
			...body.definition,
			arms: [changed, plain],
		});
		expect(put.body).toMatchObject({ newVersion: false });
		expect(put.body.changes[0]).toContain("arms[focus].payloads");
		expect((await decide({ bitrate: 1411 })).body.payload).toEqual({
			stream: "aac-128",
		});
	});

	test.each<[string, object, string]>([
		["a rule that does not parse", { when: "context.(", payload: {} }, "when"],
		[
			"a rule over what is not declared",
			{ when: "context.bitrat > 1", payload: {} },
			"when",
		],
		["a rule that is none", { when: "context.bitrate", payload: {} }, "when"],
		["no rule", { payload: {} }, "when"],
		["no payload", { when: "true" }, "payload"],
		[
			"a payload of 17 kB",
			{ when: "true", payload: { text: "x".repeat(17_000) } },
			"payload",
		],
		["an unknown key", { when: "true", payload: {}, wen: 1 }, "wen"],
	])("is refused with %s, at its path", async (_, variant, key) => {
		const { status, body } = await send(api, "PUT", "/v1/experiments/wrong", {
			...varied,
			key: "wrong",
			arms: [{ key: "a", payloads: [high, variant] }],
		});
		expect(status).toBe(422);
		expect(body.errors.map(({ path }: { path: string }) => path)).toEqual([
			`arms[0].payloads[1].${key}`,
		]);
	});

	test("has at most sixteen of them, and not none", async () => {
		for (const payloads of [[], Array(17).fill(high)]) {
			const arms = [{ key: "a", payloads }];
			const wrong = { ...varied, key: "wrong", arms };
			const { body } = await send(api, "PUT", "/v1/experiments/wrong", wrong);
			expect(body.errors[0].path).toBe("arms[0].payloads");
		}
	});
});
