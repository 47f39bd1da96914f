import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { headerIn, readStraightHead } from "../src/straight-head.js";
import { type Api, startMorning } from "./app.js";
import {
	body,
	dial,
	exchange,
	hear,
	plain,
	request,
	soon,
	statuses,
} from "./raw-http.js";

let api: Api;
beforeAll(async () => {
	api = await startMorning();
});
afterAll(async () => {
	await api?.app.close();
});

describe("what is not plain is left to Node", () => {
	const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
	const [host, type, length] = plain as [string, string, string];
	it.each<[string, string, number]>([
		["no host", request([type, length]), 400],
		["two hosts", request([...plain, host]), 200],
		["two lengths", request([...plain, length]), 400],
		[
			"a length that is no number",
			request([host, type, "content-length: 1e3"]),
			400,
		],
		[
			"a length beside chunks",
			request([...plain, "transfer-encoding: chunked"], chunked),
			400,
		],
		[
			"chunks",
			request([host, type, "transfer-encoding: chunked"], chunked),
			200,
		],
		["no length", request([host, type], ""), 400],
		["another type", request([host, "content-type: text/plain", length]), 415],
		["an encoding", request([...plain, "content-encoding: gzip"]), 200],
		["a space before the colon", request(["host : x", type, length]), 400],
		["a line without a colon", request([...plain, "nonsense"]), 400],
		["a folded line", request([...plain, "x-folded: a\r\n b"]), 400],
		["a control character", request([...plain, "x-control: a\u0001"]), 400],
		[
			"lines that end in a newline alone",
			request().replaceAll("\r\n", "\n"),
			400,
		],
		[
			"another version",
			request(plain, body, "POST /v1/decisions HTTP/1.0"),
			200,
		],
		["a query", request(plain, body, "POST /v1/decisions?x=1 HTTP/1.1"), 200],
		["another method", request([host], "", "GET /v1/decisions HTTP/1.1"), 405],
		["another path", request([host], "", "GET /health/live HTTP/1.1"), 200],
		["a wish to close", request([...plain, "connection: close"]), 200],
		[
			"letters beyond ASCII in a header",
			request([...plain, "x-name: \u00e9"]),
			200,
		],
		[
			"a head of 9 KiB",
			request([...plain, `x-long: ${"x".repeat(9_000)}`]),
			200,
		],
		[
			"a head of 17 KiB",
			request([...plain, `x-long: ${"x".repeat(17_000)}`]),
			400,
		],
	])("%s", async (_, text, status) => {
		expect(readStraightHead(Buffer.from(text), "/v1/decisions")).toBeNull();
		expect(statuses(await exchange(api, text))).toEqual([status]);
	});

	it("an expectation is met before the body is sent", async () => {
		const socket = await dial(api);
		const answering = hear(socket, 2);
		socket.write(request([...plain, "expect: 100-continue"], ""));
		await soon();
		socket.write(body);
		expect(statuses(await answering)).toEqual([100, 200]);
		socket.destroy();
	});
});

it("a plain head says where the body is, and the trace", () => {
	const lines = [...plain, "accept: a", "accept: b", "TraceParent: \t00-x "];
	const text = request(lines);
	expect(readStraightHead(Buffer.from(text), "/v1/decisions")).toMatchObject({
		bodyAt: text.length - body.length,
		length: body.length,
		traceparent: "00-x",
	});
	for (const _ of ["first", "again"])
		expect(
			readStraightHead(Buffer.from(request()), "/v1/decisions"),
		).toMatchObject({ length: body.length, traceparent: undefined });
	expect(readStraightHead(Buffer.from(request()), "/v1/other")).toBeNull();
});

it("finds any header of a plain head by its name, and none that is there twice", () => {
	const head = readStraightHead(
		Buffer.from(
			"POST /v1/decisions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\nDownLink:  1.5 \r\nECT: 4g\r\nect: 3g\r\nX-Rtt: 3\r\n\r\n{}",
		),
		"/v1/decisions",
	)!;
	expect(headerIn(head, "downlink")).toBe("1.5");
	expect(headerIn(head, "content-length")).toBe("2");
	expect(headerIn(head, "ect")).toBeUndefined();
	expect(headerIn(head, "rtt")).toBeUndefined();
});
