import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Decision } from "#usecases/deciding";
import { decideStraight } from "../src/decide-straight.js";
import { type Api, ask, morning, send, startMorning } from "./app.js";

let api: Api;
beforeAll(async () => {
	api = await startMorning();
	await send(api, "PUT", "/v1/experiments/draft", { ...morning, key: "draft" });
});
afterAll(async () => {
	await api?.app.close();
});

/** A content type that the straight route leaves to the controller. */
const long = { "content-type": "application/json;charset=utf-8" };

const text = (changes: object) => JSON.stringify({ ...ask, ...changes });

describe("POST /v1/decisions goes straight or the long way", () => {
	const bodies: readonly [string, string][] = [
		["a decision", text({})],
		["unknown and missing context", text({ context: { mood: 1, "é\n": 2 } })],
		["mode best", text({ mode: "best" })],
		["an explanation", text({ mode: "best", explain: true })],
		["an unknown key", text({ colour: 1 })],
		["an unknown experiment", text({ experiment: "none" })],
		["a draft", text({ experiment: "draft" })],
		[
			"no eligible arm",
			text({ context: { activity: "sleep" }, eligible: ["energy"] }),
		],
		["a value of a wrong type", text({ context: { hour: "noon" } })],
		["no JSON", "{"],
		["a list", "[]"],
		["nesting", "[".repeat(40)],
		["poison", '{"__proto__":1}'],
	];
	it.each(bodies)("with the same answer: %s", async (_, body) => {
		const straight = await send(api, "POST", "/v1/decisions", body);
		const controller = await send(api, "POST", "/v1/decisions", body, long);
		expect(straight.status).toBe(controller.status);
		for (const name of ["content-type", "cache-control", "retry-after"])
			expect(straight.headers.get(name)).toBe(controller.headers.get(name));
		// What is drawn differs from decision to decision.
		const drawn = { decisionId: 0, arm: 0, payload: 0, propensity: 0 };
		const same = straight.body.decisionId === undefined ? {} : drawn;
		expect({ ...straight.body, ...same }).toEqual({
			...controller.body,
			...same,
		});
		expect(Object.keys(straight.body)).toEqual(Object.keys(controller.body));
		expect(straight.text).toBe(JSON.stringify(straight.body));
	});

	it("is told of with its status either way", async () => {
		api.answered.length = 0;
		await send(api, "POST", "/v1/decisions", "{");
		await send(api, "POST", "/v1/decisions", "{", long);
		await new Promise((resolve) => setImmediate(resolve));
		expect(api.answered.map(({ route, status }) => [route, status])).toEqual([
			["/v1/decisions", 400],
			["/v1/decisions", 400],
		]);
	});

	it("reads a body that comes byte by byte, and survives a client that goes away in the middle", async () => {
		const body = text({});
		const head = `POST /v1/decisions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
		const { hostname, port } = new URL(api.url);
		const gone = connect(Number(port), hostname);
		gone.write(head + body.slice(0, 9));
		await new Promise((resolve) => setTimeout(resolve, 20));
		gone.destroy();

		const slow = connect(Number(port), hostname).setNoDelay(true);
		for (const byte of head + body) {
			slow.write(byte);
			await new Promise((resolve) => setImmediate(resolve));
		}
		const answer = await new Promise<Buffer>((resolve) =>
			slow.once("data", resolve),
		);
		slow.destroy();
		expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*"decisionId"/s);
	});
});

describe("an answer kept for its requestId by another version", () => {
	it.each([
		["with a key that is not known today", { mood: "calm" }],
		["without a list that came later", { degraded: undefined }],
	])("goes out word for word: %s", async (_, change) => {
		const kept: Decision = JSON.parse(
			JSON.stringify({
				decisionId: "d",
				experiment: "morning",
				version: 1,
				arm: "calm",
				payload: { playlist: "calm" },
				propensity: 0.5,
				group: "policy",
				revision: 1,
				missing: [],
				ignored: [],
				degraded: [],
				...change,
			}),
		);
		const route = decideStraight({
			decide: { execute: async () => kept },
			isDatabaseAway: () => false,
			onUnexpected: () => {},
		});
		const answered = await new Promise((resolve) =>
			route.answer({
				body: Buffer.from(text({})),
				traceparent: undefined,
				header: () => undefined,
				reply: (status, _headers, text) => resolve({ status, text }),
			}),
		);
		expect(answered).toEqual({ status: 200, text: JSON.stringify(kept) });
	});
});
