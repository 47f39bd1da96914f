import { createServer, type Server } from "node:http";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { closeConnections } from "./http.js";
import { SegueApi } from "./segue-api.js";

interface Canned {
	readonly status: number;
	readonly body: unknown;
	readonly headers?: Record<string, string>;
}

let server: Server | undefined;

/** A server that gives these answers in turn, the last one for ever. */
async function answering(
	...answers: Canned[]
): Promise<{ api: SegueApi; asked: () => number }> {
	let asked = 0;
	server = createServer((request, response) => {
		request.resume();
		const { status, body, headers } =
			answers[Math.min(asked++, answers.length - 1)]!;
		response
			.writeHead(status, { "content-type": "application/json", ...headers })
			.end(JSON.stringify(body));
	});
	await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
	const address = server.address();
	const port =
		typeof address === "object" && address !== null ? address.port : 0;
	return { api: new SegueApi(`http://127.0.0.1:${port}`), asked: () => asked };
}

afterEach(async () => {
	server?.closeAllConnections();
	await new Promise((resolve) => server?.close(resolve));
});
afterAll(closeConnections);

const request = { experiment: "e", unit: "u", context: {} };

describe("SegueApi", () => {
	it("asks again after Retry-After when Segue could keep nothing safe", async () => {
		const { api, asked } = await answering(
			{
				status: 503,
				body: { title: "Overloaded" },
				headers: { "retry-after": "0" },
			},
			{ status: 200, body: { decisionId: "d", arm: "a" } },
		);
		expect(await api.decide(request)).toMatchObject({ decisionId: "d" });
		expect(asked()).toBe(2);
	});

	it("throws what it asked and what was answered", async () => {
		const { api, asked } = await answering({
			status: 422,
			body: { problems: [{ path: "unit" }] },
		});
		await expect(api.decide(request)).rejects.toThrow(
			/POST \/v1\/decisions was answered with 422.*"unit"/,
		);
		expect(asked()).toBe(1);
	});

	it("does not pass over a rejected event", async () => {
		const { api } = await answering({
			status: 202,
			body: { accepted: 0, rejected: [{ index: 0, problem: "at: early" }] },
		});
		await expect(
			api.send([{ id: "1", type: "play", at: 0, unit: "u" }]),
		).rejects.toThrow("at: early");
	});
});
