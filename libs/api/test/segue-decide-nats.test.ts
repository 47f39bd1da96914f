import { connect, type NatsConnection } from "@nats-io/transport-node";
import { type MicroserviceOptions, Transport } from "@nestjs/microservices";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startNats, type TestNats } from "../../../test/support/nats-server.js";
import {
	DECIDE_SUBJECT,
	GET_PROFILE_SUBJECT,
	PlainJsonDeserializer,
	PlainJsonSerializer,
	PUT_PROFILE_SUBJECT,
} from "../src/index.js";
import { type Api, ask, morning, send, startApi } from "./app.js";

let nats: TestNats;
let client: NatsConnection;
const apis: Api[] = [];
beforeAll(async () => {
	nats = await startNats();
	for (const _ of [1, 2]) {
		const api = await startApi();
		api.app.connectMicroservice<MicroserviceOptions>({
			transport: Transport.NATS,
			options: {
				servers: nats.url,
				serializer: new PlainJsonSerializer(),
				deserializer: new PlainJsonDeserializer(),
			},
		});
		await api.app.startAllMicroservices();
		await send(api, "PUT", "/v1/experiments/morning", morning);
		await send(api, "POST", "/v1/experiments/morning/start");
		apis.push(api);
	}
	client = await connect({ servers: nats.url });
});
afterAll(async () => {
	await client?.close();
	for (const api of apis) await api.app.close();
	await nats?.stop();
});

async function request(
	body: string,
): Promise<{ readonly [key: string]: unknown }> {
	return JSON.parse(
		(await client.request(DECIDE_SUBJECT, body, { timeout: 10_000 })).string(),
	);
}
const logged = () => apis.reduce((sum, { log }) => sum + log.rows.length, 0);

test("over a real broker plain JSON is answered with plain JSON, by one decider of several", async () => {
	const before = logged();
	const decision = await request(JSON.stringify(ask));
	expect(decision).toMatchObject({
		experiment: "morning",
		arm: expect.any(String),
		decisionId: expect.any(String),
	});
	expect(logged()).toBe(before + 1);
	expect(await request("{")).toMatchObject({ status: 400 });
	expect(
		await request(JSON.stringify({ ...ask, experiment: "nobody" })),
	).toMatchObject({ status: 404 });
});

test("of many requests at once each gets its own answer, and all deciders share the work", async () => {
	const units = Array.from({ length: 200 }, (_, i) => `unit-${i}`);
	const answers = await Promise.all(
		units.map((unit) => request(JSON.stringify({ ...ask, unit }))),
	);
	expect(answers.every(({ arm }) => typeof arm === "string")).toBe(true);
	const rows = apis.flatMap(({ log }) => log.rows);
	expect(
		units.every((unit) => rows.filter((row) => row.unit === unit).length === 1),
	).toBe(true);
	expect(apis.every(({ log }) => log.rows.length > 0)).toBe(true);
});

test("a message that nobody waits for decides nothing, and later requests are answered", async () => {
	const before = logged();
	client.publish(DECIDE_SUBJECT, JSON.stringify(ask));
	await client.flush();
	expect(await request(JSON.stringify(ask))).toMatchObject({
		experiment: "morning",
	});
	expect(logged()).toBe(before + 1);
});

test("profiles are put and read over the broker, each request by one decider of several", async () => {
	const ask = async (subject: string, body: object) =>
		JSON.parse(
			(
				await client.request(subject, JSON.stringify(body), {
					timeout: 10_000,
				})
			).string(),
		);
	const features = [{ name: "taste", from: "profile", kind: "number" }];
	for (const api of apis)
		await send(api, "PUT", "/v1/experiments/tastes", {
			...morning,
			key: "tastes",
			arms: morning.arms.slice(0, 1),
			context: { features },
		});
	const body = { unit: "listener-1", profile: { taste: 0.5 } };
	expect(await ask(PUT_PROFILE_SUBJECT, body)).toEqual(body);
	const keepers = await Promise.all(
		apis.map(({ stored }) => stored.read(["listener-1"])),
	);
	expect(keepers.filter(({ size }) => size === 1)).toHaveLength(1);
	const unknown = { unit: "nobody" };
	expect(await ask(GET_PROFILE_SUBJECT, unknown)).toMatchObject({
		status: 404,
	});
});
