import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
	answerDecideRequest,
	PlainJsonDeserializer,
	PlainJsonSerializer,
	tokens,
} from "../src/index.js";
import { type Api, ask, send, startMorning } from "./app.js";

let api: Api;
beforeAll(async () => {
	api = await startMorning();
});
afterAll(async () => {
	await api?.app.close();
});

const bytes = (text: string) => new TextEncoder().encode(text);
async function request(body: string | Uint8Array) {
	const answer = await answerDecideRequest(
		api.app.get(tokens.decide),
		typeof body === "string" ? bytes(body) : body,
	);
	return JSON.parse(new TextDecoder().decode(answer));
}

describe("a request on segue.decide", () => {
	test("is answered with the plain decision", async () => {
		const decision = await request(JSON.stringify(ask));
		expect(decision).toMatchObject({ experiment: "morning", version: 1 });
		expect(
			(await send(api, "GET", `/v1/decisions/${decision.decisionId}`)).status,
		).toBe(200);
	});

	const nested = `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`;
	const cases: readonly [string, string | Uint8Array, number][] = [
		["bad JSON", "{", 400],
		["nothing", "", 400],
		["no UTF-8", new Uint8Array([0xff]), 400],
		[
			"10,000-deep nesting",
			`{"experiment":"morning","unit":"u","context":${nested}}`,
			400,
		],
		[
			"__proto__",
			'{"experiment":"morning","unit":"u","context":{"__proto__":{}}}',
			400,
		],
		[
			"an unknown experiment",
			JSON.stringify({ ...ask, experiment: "nobody" }),
			404,
		],
		[
			"arms all ruled out",
			JSON.stringify({
				...ask,
				context: { activity: "sleep" },
				eligible: ["energy"],
			}),
			409,
		],
		["a wrong type", JSON.stringify({ ...ask, context: { hour: "x" } }), 422],
	];
	for (const [name, body, status] of cases)
		test(`with ${name} is answered with a problem of status ${status}`, async () => {
			expect(await request(body)).toMatchObject({
				status,
				detail: expect.any(String),
				type: expect.stringMatching(/^\/docs\/errors#/),
			});
		});

	test("that fails in an unforeseen way is answered without internals", async () => {
		const told: unknown[] = [];
		const broken = { execute: () => Promise.reject(new Error("secret")) };
		const answer = await answerDecideRequest(
			broken,
			bytes(JSON.stringify(ask)),
			null,
			(error) => void told.push(error),
		);
		const text = new TextDecoder().decode(answer);
		expect(JSON.parse(text)).toMatchObject({ status: 500 });
		expect(text).not.toContain("secret");
		expect(told).toHaveLength(1);
	});
});

describe("the transport speaks plain JSON", () => {
	test("the subject is the pattern, the bytes are untouched, and without a reply subject there is nothing to answer", () => {
		const data = bytes("{}");
		const read = new PlainJsonDeserializer();
		expect(
			read.deserialize(
				{ data, reply: "_INBOX.1" },
				{ channel: "segue.decide", replyTo: "_INBOX.1" },
			),
		).toEqual({ pattern: "segue.decide", data, id: "_INBOX.1" });
		expect(
			read.deserialize({ data }, { channel: "segue.decide" }).data,
		).toBeNull();
	});

	test("the handler's bytes go out as they are, and Nest's own errors as a problem", () => {
		const write = new PlainJsonSerializer();
		const data = bytes('{"arm":"a"}');
		expect(write.serialize({ response: data }).data).toBe(data);
		const failed = JSON.parse(
			new TextDecoder().decode(
				write.serialize({ err: "There is no matching message handler" }).data,
			),
		);
		expect(failed).toMatchObject({ status: 500 });
	});
});
