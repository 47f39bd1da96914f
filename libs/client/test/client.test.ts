import {
	createServer,
	type IncomingMessage,
	type Server,
	type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Api, ask, morning, send, startApi } from "../../api/test/app.js";
import {
	type ClientOptions,
	EventsNotSent,
	SegueClient,
	SegueProblem,
	SegueUnreachable,
} from "../src/index.js";

describe("against the real API", () => {
	let api: Api;
	let client: SegueClient;
	beforeAll(async () => {
		api = await startApi();
		await send(api, "PUT", "/v1/experiments/morning", morning);
		await send(api, "POST", "/v1/experiments/morning/start");
		client = new SegueClient({ url: api.url, now: () => api.clock.now() });
	});
	afterAll(async () => {
		await api?.app.close();
	});

	test("decides, sends what happened, and reads decision and report", async () => {
		const decision = await client.decide(ask);
		const answer = await client.sendEvents([
			{ type: "play", unit: ask.unit, decisionId: decision.decisionId },
		]);
		expect(answer).toEqual({ accepted: 1, rejected: [] });
		expect(api.events.at(-1)).toMatchObject({
			type: "play",
			decisionId: decision.decisionId,
			at: api.clock.now(),
		});
		expect(await client.getDecision(decision.decisionId!)).toMatchObject({
			arm: decision.arm,
			propensity: decision.propensity,
		});
		const explained = await client.explainDecision(decision.decisionId!);
		expect(explained.rederived.equal).toBe(true);
		expect(explained.explanation?.arms.map(({ arm }) => arm)).toEqual([
			"focus",
			"energy",
		]);
		expect(await client.report("morning")).toMatchObject({
			experiment: "morning",
			lift: { kind: "always-valid" },
		});
		const batch = await client.decideBatch([
			ask,
			{ ...ask, experiment: "nobody" },
		]);
		expect(batch).toEqual([
			expect.objectContaining({ arm: expect.any(String) }),
			{ problem: expect.objectContaining({ status: 404 }) },
		]);
	});

	test("puts and reads a unit's profile", async () => {
		const features = [
			{ name: "taste", from: "profile", kind: "vector", length: 2 },
		];
		const arms = morning.arms.slice(0, 1);
		const experiment = {
			...morning,
			key: "tastes",
			arms,
			context: { features },
		};
		await send(api, "PUT", "/v1/experiments/tastes", experiment);
		const unit = "listener 1/ü";
		await expect(client.getProfile(unit)).rejects.toMatchObject({
			status: 404,
			code: "unknown-profile",
		});
		const profile = { taste: [0.5, -0.25] };
		expect(await client.putProfile(unit, profile)).toEqual(profile);
		expect(await client.getProfile(unit)).toEqual(profile);
		await expect(client.putProfile(unit, { tast: [1, 2] })).rejects.toThrow(
			'Did you mean "taste"?',
		);
	});

	test("puts and reads a unit's consent", async () => {
		const unit = "listener 2/ü";
		expect(await client.getConsent(unit)).toEqual({});
		const consent = { personalization: true, jurisdiction: "lets" };
		expect(await client.putConsent(unit, consent)).toEqual(consent);
		expect(await client.getConsent(unit)).toEqual(consent);
		await expect(client.putConsent(unit, { locatoin: true })).rejects.toThrow(
			'did you mean "location"?',
		);
		const decision = { ...ask, consent: { location: true } };
		expect(await client.decide(decision)).toHaveProperty("decisionId");
	});

	test("a refusal is a SegueProblem with its code and paths", async () => {
		const error = await client
			.decide({ ...ask, context: { hour: "late" } })
			.catch((reason) => reason);
		expect(error).toBeInstanceOf(SegueProblem);
		expect(error).toMatchObject({
			status: 422,
			code: "invalid",
			problem: { errors: [{ path: "context.hour" }] },
		});
	});

	test("any number of events goes in requests of at most 1,000; rejections keep their place among all", async () => {
		const before = api.events.length;
		const requests = api.answered.filter(
			({ route }) => route === "/v1/events",
		).length;
		const events = Array.from({ length: 2_500 }, (_, i) => ({
			id: `many-${i}`,
			type: i === 2_100 ? "not a type" : "play",
			unit: "u",
		}));
		const { accepted, rejected } = await client.sendEvents(events);
		expect(accepted).toBe(2_499);
		expect(rejected.map(({ index }) => index)).toEqual([2_100]);
		expect(api.events.length - before).toBe(2_499);
		expect(
			api.answered.filter(({ route }) => route === "/v1/events").length -
				requests,
		).toBe(3);
	});

	test("events with large properties go in requests below the server's bound", async () => {
		const properties = Object.fromEntries(
			Array.from({ length: 26 }, (_, i) => [`label${i}`, "y".repeat(64)]),
		);
		const events = Array.from({ length: 900 }, (_, i) => ({
			id: `large-${i}`,
			type: "play",
			unit: "u",
			properties,
		}));
		expect(await client.sendEvents(events)).toEqual({
			accepted: 900,
			rejected: [],
		});
	});
});

describe("when Segue fails", () => {
	let server: Server | null = null;
	afterEach(async () => {
		server?.closeAllConnections();
		await new Promise((resolve) =>
			server === null ? resolve(null) : server.close(resolve),
		);
		server = null;
	});

	type Script = (request: IncomingMessage, response: ServerResponse) => void;
	const accept: Script = (_, response) =>
		void response.end('{"accepted":2,"rejected":[]}');
	const cut: Script = (request) => void request.socket.destroy();
	const half: Script = (request, response) => {
		response.writeHead(200, { "content-length": "100" });
		response.write("{");
		setImmediate(() => request.socket.destroy());
	};
	const refuse =
		(status: number, headers: Record<string, string> = {}, body = ""): Script =>
		(_, response) =>
			void response.writeHead(status, headers).end(body);

	/** A server that plays the scripts in turn, and a client whose waits are only noted. */
	async function playing(
		scripts: readonly Script[],
		options: Partial<ClientOptions> = {},
	) {
		const bodies: { events: { id: string; at: string }[] }[] = [];
		const waits: number[] = [];
		server = createServer(async (request, response) => {
			let text = "";
			for await (const chunk of request) text += chunk;
			bodies.push(JSON.parse(text || "{}"));
			(scripts[bodies.length - 1] ?? cut)(request, response);
		});
		await new Promise<void>((resolve) =>
			server?.listen(0, "127.0.0.1", resolve),
		);
		const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
		const sleep = async (ms: number) => void waits.push(ms);
		return {
			client: new SegueClient({ url, sleep, random: () => 0.5, ...options }),
			bodies,
			waits,
		};
	}
	const events = [
		{ type: "play", unit: "u" },
		{ type: "save", unit: "u" },
	];

	test("events are sent again with the same ids and times after a cut connection, a broken answer and a 503", async () => {
		const { client, bodies } = await playing([cut, half, refuse(503), accept]);
		expect(await client.sendEvents(events)).toEqual({
			accepted: 2,
			rejected: [],
		});
		expect(bodies).toHaveLength(4);
		for (const body of bodies) expect(body).toEqual(bodies[0]);
		expect(new Set(bodies[0]!.events.map(({ id }) => id)).size).toBe(2);
	});

	test("waits at least what Retry-After asks for, doubles else, and never waits longer than its bound", async () => {
		const { client, waits } = await playing([
			refuse(503),
			cut,
			refuse(503, { "retry-after": "3" }),
			refuse(503, { "retry-after": "3600" }),
			accept,
		]);
		await client.sendEvents(events);
		expect(waits).toEqual([100, 200, 3_400, 10_000]);
	});

	test("a Retry-After that is a date is understood", async () => {
		const date = new Date(Date.now() + 3_600_000).toUTCString();
		const { client, waits } = await playing(
			[refuse(503, { "retry-after": date }), accept],
			{ longestWaitMs: 7_200_000 },
		);
		await client.sendEvents(events);
		expect(waits[0]).toBeGreaterThan(3_000_000);
		expect(waits[0]).toBeLessThanOrEqual(3_600_100);
	});

	test("it gives up after its attempts and hands back what was not sent", async () => {
		const { client, bodies } = await playing([], { attempts: 3 });
		const error = await client.sendEvents(events).catch((reason) => reason);
		expect(error).toBeInstanceOf(EventsNotSent);
		expect(error.cause).toBeInstanceOf(SegueUnreachable);
		expect(bodies).toHaveLength(3);
		expect(error.unsent).toEqual(bodies[0]!.events);
	});

	test("a refusal that no repeat can mend is not repeated", async () => {
		const problem = JSON.stringify({
			type: "/docs/errors#invalid",
			title: "",
			status: 422,
			detail: "No.",
			errors: [],
		});
		const { client, bodies } = await playing([refuse(422, {}, problem)]);
		await expect(client.sendEvents(events)).rejects.toMatchObject({
			cause: { code: "invalid" },
		});
		expect(bodies).toHaveLength(1);
	});

	test("a decision is asked for once, since a repeat would be another decision", async () => {
		const { client, bodies } = await playing([cut]);
		await expect(client.decide(ask)).rejects.toBeInstanceOf(SegueUnreachable);
		expect(bodies).toHaveLength(1);
	});

	test("no answer in time counts as unreachable", async () => {
		const { client } = await playing([() => {}], { timeoutMs: 50 });
		await expect(client.decide(ask)).rejects.toBeInstanceOf(SegueUnreachable);
	});

	test("an answer that is not Segue's is still a problem", async () => {
		const { client } = await playing([refuse(502, {}, "<html>bad gateway")]);
		await expect(client.decide(ask)).rejects.toMatchObject({
			status: 502,
			message: expect.stringContaining("bad gateway"),
		});
	});
});
