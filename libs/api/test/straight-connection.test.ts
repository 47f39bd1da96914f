import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StraightConnection } from "../src/straight-connection.js";
import type { StraightRequest } from "../src/straight-route.js";
import { type Api, startApi, startMorning } from "./app.js";
import {
	dial,
	exchange,
	type Heard,
	hear,
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

describe("a connection that brings decisions", () => {
	it("answers them one after another, with the headers that it has after Node took over", async () => {
		const socket = await dial(api);
		const next = async (text: string) => {
			const answering = hear(socket, 1);
			socket.write(text);
			return (await answering)[0] as Heard;
		};
		const first = await next(request());
		const second = await next(request());
		const live = await next("GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n");
		const third = await next(request());
		socket.destroy();
		expect(statuses([first, second, live, third])).toEqual([
			200, 200, 200, 200,
		]);
		for (const { text } of [first, second, third])
			expect(JSON.parse(text)).toMatchObject({ experiment: "morning" });
		const without = ({ head }: Heard) => head.replace(/Date: .*/, "");
		expect(without(first)).toBe(without(third));
		const date = /^Date: (.*)$/m.exec(first.head)?.[1] ?? "";
		expect(Math.abs(Date.parse(date) - Date.now())).toBeLessThan(60_000);
	});

	it("answers problems as problems, and goes on", async () => {
		const bad = request(
			["host: x", "content-type: application/json", "content-length: 1"],
			"{",
		);
		const socket = await dial(api);
		for (const [text, status] of [
			[bad, 400],
			[request(), 200],
		] as const) {
			const answering = hear(socket, 1);
			socket.write(text);
			expect(statuses(await answering)).toEqual([status]);
		}
		socket.destroy();
	});

	it("answers in order what comes before the answer to the one before", async () => {
		const get = "GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n";
		const texts = await exchange(
			api,
			request() + request() + get + request(),
			4,
		);
		expect(statuses(texts)).toEqual([200, 200, 200, 200]);
		const socket = await dial(api);
		const answering = hear(socket, 3);
		for (const text of [request(), request().slice(0, 50), request().slice(50)])
			socket.write(text);
		socket.write(get);
		expect(statuses(await answering)).toEqual([200, 200, 200]);
		socket.destroy();
	});

	it("reads a request that comes in pieces, wherever it is cut", async () => {
		const whole = request();
		const cuts = fc.uniqueArray(fc.integer({ min: 1, max: whole.length - 1 }), {
			minLength: 1,
			maxLength: 20,
		});
		await fc.assert(
			fc.asyncProperty(cuts, async (places) => {
				const socket = await dial(api);
				const answering = hear(socket, 2);
				let from = 0;
				for (const to of [...places.sort((a, b) => a - b), whole.length]) {
					socket.write(whole.slice(from, to));
					await new Promise((resolve) => setImmediate(resolve));
					from = to;
				}
				socket.write(whole);
				expect(statuses(await answering)).toEqual([200, 200]);
				socket.destroy();
			}),
			{ numRuns: 40 },
		);
	});

	it("has Node wait for a body that stops in the middle", async () => {
		const socket = await dial(api);
		const answering = hear(socket, 1);
		socket.write(request().slice(0, -9));
		await new Promise((resolve) => setTimeout(resolve, 1_200));
		socket.write(request().slice(-9));
		expect(statuses(await answering)).toEqual([200]);
		socket.destroy();
	});

	it("outlives clients that go away, before and after they are answered", async () => {
		for (const text of [
			request().slice(0, 40),
			request().slice(0, -3),
			request(),
		]) {
			const socket = await dial(api);
			socket.write(text);
			socket.destroy();
			const polite = await dial(api);
			polite.end(text);
			await soon();
			polite.destroy();
		}
		expect(statuses(await exchange(api, request()))).toEqual([200]);
	});

	it("is closed when the server closes: at once where it waits, after the answer where it does not", async () => {
		const other = await startApi();
		const idle = await dial(other);
		const fresh = await dial(other);
		const answering = hear(idle, 1);
		idle.write(request());
		expect(statuses(await answering)).toEqual([404]);
		const closed = Promise.all(
			[idle, fresh].map(
				(socket) =>
					new Promise((resolve) => socket.resume().once("close", resolve)),
			),
		);
		await other.app.close();
		await closed;
	});
});

describe("a connection by itself", () => {
	/** One over a stream of the test's own, with what it did. */
	function alone(reply: (one: StraightRequest) => void = () => {}) {
		const unsent: (() => void)[] = [];
		const socket = new Duplex({
			highWaterMark: 400,
			read() {},
			write: (_chunk, _encoding, done) => void unsent.push(done),
		});
		const left: Buffer[] = [];
		const seconds: number[] = [];
		const connection = new StraightConnection(socket as unknown as Socket, {
			path: () => "/v1/decisions",
			arrived: reply,
			answered: (_, taken) => void seconds.push(taken),
			headersMs: 10_000,
			keepAliveMs: 72_000,
			listening: () => true,
			brokenOff: () => {},
			takeOver: (_, bytes) => left.push(bytes),
		});
		return { socket, unsent, left, seconds, connection };
	}

	it("does not read from a client that does not read its answers", async () => {
		let arrived = 0;
		const { socket, unsent } = alone((one) => {
			arrived += 1;
			one.reply(200, {}, "x".repeat(150));
		});
		for (let sent = 0; sent < 5; sent++) {
			socket.push(request());
			await soon();
		}
		expect(arrived).toBeLessThan(4);
		while (unsent.length > 0) {
			unsent.shift()?.();
			await soon();
		}
		expect(arrived).toBeGreaterThan(3);
	});

	it("does not read on while it answers, and leaves what came", async () => {
		let answer = () => {};
		const { socket, left } = alone((one) => {
			answer = () => one.reply(200, {}, "");
		});
		socket.push(request());
		await soon();
		socket.push("early");
		await soon();
		expect(socket.isPaused()).toBe(true);
		answer();
		expect(left.map(String)).toEqual(["early"]);
	});

	it("leaves a body that is not whole a second after its head, also where pieces of it still come", async () => {
		const { socket, left, connection } = alone();
		const begunAt = performance.now();
		socket.push(request().slice(0, -9));
		await soon();
		connection.lookAfter(begunAt + 900);
		await new Promise((resolve) => setTimeout(resolve, 200));
		socket.push(request().slice(-9, -5));
		await soon();
		expect(left).toEqual([]);
		connection.lookAfter(performance.now() + 850);
		expect(left.map(String)).toEqual([request().slice(0, -5)]);
	});

	it("counts an answer's time from the request's head, as Node's server does", async () => {
		const { socket, seconds } = alone((one) => one.reply(200, {}, ""));
		socket.push(request().slice(0, -9));
		await new Promise((resolve) => setTimeout(resolve, 100));
		socket.push(request().slice(-9));
		await soon();
		expect(seconds).toHaveLength(1);
		expect(seconds[0]).toBeGreaterThan(0.08);
	});

	it("closes after a silence, before the first request sooner than after an answer", async () => {
		const mute = alone();
		mute.connection.lookAfter(performance.now() + 9_000);
		expect(mute.socket.destroyed).toBe(false);
		mute.connection.lookAfter(performance.now() + 10_000);
		expect(mute.socket.destroyed).toBe(true);
		const silent = alone((one) => one.reply(200, {}, ""));
		silent.socket.push(request());
		await soon();
		silent.connection.lookAfter(performance.now() + 71_000);
		expect(silent.socket.destroyed).toBe(false);
		silent.connection.lookAfter(performance.now() + 72_000);
		expect(silent.socket.destroyed).toBe(true);
	});
});
