import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { Connections, postOf } from "../../bench/decide/connections.js";

let server: Server | undefined;
let connections: Connections | undefined;

afterEach(() => {
	connections?.close();
	server?.closeAllConnections();
	server?.close();
});

async function serve(
	listener: RequestListener,
	count: number,
): Promise<(body: string) => Promise<void>> {
	server = createServer(listener).listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	const url = `http://127.0.0.1:${port}`;
	const opened = await Connections.open(url, count);
	connections = opened;
	return (body) => opened.post(postOf(url, "/here", body));
}

test("each request is answered once, over no more connections than there are", async () => {
	const bodies: string[] = [];
	const sockets = new Set<unknown>();
	const post = await serve(async (request, response) => {
		let body = "";
		for await (const chunk of request) body += chunk;
		sockets.add(request.socket);
		bodies.push(`${request.method} ${request.url} ${body}`);
		response.end("done");
	}, 2);
	const five = ["a", "b", "ü", "d", "e"];
	await Promise.all(five.map(post));
	expect(bodies.sort()).toEqual(five.map((one) => `POST /here ${one}`).sort());
	expect(sockets.size).toBeLessThanOrEqual(2);
});

test("an answer in pieces ends with its last byte", async () => {
	let isWhole = false;
	const post = await serve((_request, response) => {
		response.writeHead(200, { "content-length": 6 });
		response.write("abc");
		setTimeout(() => {
			isWhole = true;
			response.end("def");
		}, 20);
	}, 1);
	await post("{}");
	expect(isWhole).toBe(true);
});

test("another status, and a server that goes away, are errors", async () => {
	const post = await serve((request, response) => {
		if (request.headers["content-length"] === "2") {
			response.writeHead(503, { "content-length": 0 }).end();
		} else request.socket.destroy();
	}, 1);
	await expect(post("{}")).rejects.toThrow("HTTP/1.1 503");
	await expect(post("{  }")).rejects.toThrow("closed");
});
