import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
	runExperiment,
	sampleExperiment,
	sampleRequest,
	send,
} from "../support/client.js";
import { type Instance, startSegue } from "../support/segue.js";

const THEIRS = "0af7651916cd43dd8448eb211c80319c";
const received: Buffer[] = [];
let collector: Server;
let instance: Instance;

beforeAll(async () => {
	collector = createServer(async (request, response) => {
		for await (const chunk of request) received.push(chunk);
		response.end();
	});
	await new Promise<void>((resolve) =>
		collector.listen(0, "127.0.0.1", resolve),
	);
	const { port } = collector.address() as AddressInfo;
	instance = await startSegue({
		env: {
			OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
			SEGUE_STREAM: "postgres",
			SEGUE_DECIDE_DEADLINE_MS: "5000",
		},
	});
	await runExperiment(instance.url, sampleExperiment);
});
afterAll(async () => {
	await instance?.stop();
	collector?.closeAllConnections();
	collector?.close();
});

/** The trace that the log names of a decision asked for with these headers. */
async function traceOf(headers: Record<string, string>): Promise<string> {
	const response = await fetch(`${instance.url}/v1/decisions`, {
		method: "POST",
		headers: { "content-type": "application/json", ...headers },
		body: JSON.stringify(sampleRequest(1)),
	});
	const { decisionId } = (await response.json()) as { decisionId: string };
	const path = `/v1/decisions/${decisionId}`;
	return (await send(instance.url, "GET", path)).body.traceId;
}

it("where traces have somewhere to go, a decision is a span of the trace that its request names, or of one of its own, which its log row names", async () => {
	const traceparent = `00-${THEIRS}-b7ad6b7169203331-01`;
	expect(await traceOf({ traceparent })).toBe(THEIRS);
	const own = await traceOf({});
	expect(own).toMatch(/^[0-9a-f]{32}$/);
	expect(own).not.toBe(THEIRS);
	await instance.stop();
	const sent = Buffer.concat(received);
	for (const name of ["decide", "findDecision", "putExperiment"])
		expect(sent.includes(name), `no span ${name}`).toBe(true);
	for (const trace of [THEIRS, own])
		expect(sent.includes(Buffer.from(trace, "hex")), trace).toBe(true);
});
