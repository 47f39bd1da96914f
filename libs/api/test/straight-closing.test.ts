import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { openServer } from "../src/open-server.js";
import type { StraightRequest } from "../src/straight-route.js";
import { dial, type Heard, hear, request, soon, statuses } from "./raw-http.js";

const get = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
const opened: Server[] = [];
afterEach(() => {
	for (const server of opened.splice(0)) {
		server.close();
		server.closeAllConnections();
	}
});

/** A door whose requests, straight or not, wait in `held` until the test answers them. */
async function door() {
	const held: StraightRequest["reply"][] = [];
	const server = openServer(
		{
			straight: {
				path: "/v1/decisions",
				answer: (one) => void held.push(one.reply.bind(one)),
			},
		},
		(_request, response) =>
			void held.push((status, headers, text) => {
				response.writeHead(status, {
					...headers,
					"content-length": text.length,
				});
				response.end(text);
			}),
	);
	server.on("clientError", (_error, socket) =>
		socket.end("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"),
	);
	opened.push(server);
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	return { held, server, url: `http://127.0.0.1:${port}` };
}

async function answer(held: StraightRequest["reply"][]) {
	await expect.poll(() => held.length).toBe(1);
	held.shift()?.(200, {}, "{}");
}

describe("a request in flight when the server closes", () => {
	for (const [way, before, last] of [
		["read without Node", [], request()],
		["on a connection that Node took over", [get], request()],
		["that does not go straight", [request()], get],
	] as const)
		it(`is answered, is the connection's last, and lets the server close: ${way}`, async () => {
			const { held, server, url } = await door();
			const socket = await dial({ url });
			socket.on("error", () => {});
			for (const text of before) {
				const answering = hear(socket, 1);
				socket.write(text);
				await answer(held);
				await answering;
			}
			const answering = hear(socket, 1);
			socket.write(last);
			await expect.poll(() => held.length).toBe(1);
			const closed = once(server, "close").then(() => "closed");
			server.close();
			await answer(held);
			const [heard] = (await answering) as [Heard];
			expect(heard.head).toMatch(/^connection: close$/im);
			for (let more = 0; more < 3; more++) {
				if (socket.writable) socket.write(request());
				await soon();
			}
			expect(held).toEqual([]);
			expect(
				await Promise.race([
					closed,
					new Promise((resolve) => setTimeout(resolve, 500, "open")),
				]),
			).toBe("closed");
			socket.destroy();
		});
});

describe("a body cut off by the client's end", () => {
	for (const before of [[], [get]])
		it(`is answered 400, ${before.length === 0 ? "read without Node" : "on a connection that Node took over"}`, async () => {
			const { held, url } = await door();
			const socket = await dial({ url });
			for (const text of before) {
				const answering = hear(socket, 1);
				socket.write(text);
				await answer(held);
				await answering;
			}
			const answering = hear(socket, 1);
			socket.end(request().slice(0, -4));
			expect(statuses(await answering)).toEqual([400]);
			expect(held).toEqual([]);
		});
});
