import { randomBytes, randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runExperiment, sampleExperiment, send } from "../support/client.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { allFiles, allTables } from "../support/everywhere.js";
import { startNats, type TestNats } from "../support/nats-server.js";
import {
	type Instance,
	segueCli,
	startSegue,
	waitFor,
} from "../support/segue.js";

const holding = (all: ReadonlyMap<string, string>, text: string) =>
	[...all]
		.filter(([, content]) => content.includes(text))
		.map(([name]) => name);
const secret = () => randomBytes(32).toString("base64");
/** From when the second key names units: late enough for what comes before it. */
const CHANGE_IN_MS = 25_000;

describe("where units are named by a key", { timeout: 120_000 }, () => {
	let nats: TestNats;
	let database: TestDatabase;
	let instance: Instance;
	let client: pg.Client;
	let broker: NatsConnection;
	let env: Record<string, string>;
	let changeAt: number;

	beforeAll(async () => {
		nats = await startNats();
		database = await createTestDatabase();
		changeAt = 1_000 * Math.ceil((Date.now() + CHANGE_IN_MS) / 1_000);
		const instant = new Date(changeAt).toISOString().replace(".000Z", "Z");
		env = {
			NATS_URL: nats.url,
			DATABASE_URL: database.connectionString,
			SEGUE_UNIT_KEY: `a1:${secret()},b2@${instant}:${secret()}`,
			SEGUE_DECIDE_DEADLINE_MS: "5000",
			LOG_LEVEL: "debug",
		};
		instance = await startSegue({ env });
		client = new pg.Client({ connectionString: database.connectionString });
		await client.connect();
		broker = await connect({ servers: nats.url });
		const { features } = sampleExperiment.context;
		await runExperiment(instance.url, {
			...sampleExperiment,
			traffic: { share: 1, control: 0, baseline: "uniform" },
			context: {
				enrichBudgetMs: 1_000,
				features: [
					...features,
					{ name: "loyalty", from: "profile", kind: "number" },
				],
			},
		} as typeof sampleExperiment);
	});
	afterAll(async () => {
		await broker?.close();
		await client?.end();
		await instance?.stop();
		await database?.drop();
		await nats?.stop();
	});

	const decide = async (unit: string, more: object = {}): Promise<string> => {
		const { status, body } = await send(instance.url, "POST", "/v1/decisions", {
			experiment: "sample",
			unit,
			context: { tempo: 100, device: "phone" },
			...more,
		});
		expect(status, JSON.stringify(body)).toBe(200);
		return body.decisionId;
	};
	const event = (unit: string, decisionId?: string) => ({
		id: `e-${randomBytes(6).toString("hex")}`,
		type: "play",
		at: new Date().toISOString(),
		unit,
		...(decisionId !== undefined && { decisionId }),
	});
	const asked = async (subject: string, body: object) =>
		(await broker.request(subject, JSON.stringify(body), { timeout: 10_000 }))
			// biome-ignore lint/suspicious/noExplicitAny: tests look at answers of every shape
			.json<any>();
	const shown = async (id: string) =>
		(await send(instance.url, "GET", `/v1/decisions/${id}`)).body;
	const applied = (id: string) =>
		waitFor(
			async () => (await shown(id)).events[0]?.verdict === "applied",
			20_000,
			() => `the event of ${id} was not applied:\n${instance.output()}`,
		);
	const nowhere = async (text: string) => {
		expect(holding(await allTables(client), text)).toEqual([]);
		expect(holding(await allFiles(instance.folder), text)).toEqual([]);
		expect(holding(await allFiles(nats.folder), text)).toEqual([]);
		expect(instance.output()).not.toContain(text);
		const { body } = await send(instance.url, "GET", "/metrics");
		expect(body).not.toContain(text);
	};
	const unit = "listener-raw-4711";
	const path = `/v1/units/${unit}`;
	let before: string;

	it("what clients call a unit is found nowhere, by whichever door it came", async () => {
		await send(instance.url, "PUT", `${path}/profile`, { loyalty: 3 });
		await send(instance.url, "PUT", `${path}/consent`, {
			personalization: true,
		});
		before = await decide(unit, { requestId: "again", explain: true });
		expect(await decide(unit, { requestId: "again", explain: true })).toBe(
			before,
		);
		const later = await decide(unit);
		const { decisionId } = await asked("segue.decide", {
			experiment: "sample",
			unit,
			context: { tempo: 100, device: "phone" },
		});
		const play = event(unit, later);
		const sent = await send(instance.url, "POST", "/v1/events", {
			events: [play, event(unit)],
		});
		expect(sent.body).toEqual({ accepted: 2, rejected: [] });
		expect(
			await asked("segue.accept", { events: [event(unit, decisionId)] }),
		).toEqual({ accepted: 1, rejected: [] });
		for (const id of [later, decisionId]) await applied(id);
		const decision = await shown(before);
		expect(decision.unit).toMatch(/^~a1\.[\w-]{22}$/);
		expect(decision.context.loyalty).toBe(3);
		expect((await shown(later)).unit).toBe(decision.unit);
		expect((await send(instance.url, "GET", `${path}/profile`)).body).toEqual({
			loyalty: 3,
		});
		await nowhere(unit);
	});

	it("an event published past the door under another name is refused and kept without its words", async () => {
		const stranger = "listener-straight-88";
		const pack = { boot: randomUUID(), sequence: 1, events: [event(stranger)] };
		for (const [subject, body] of [
			["segue.events.play", JSON.stringify(event(stranger))],
			["segue.events.play", `{"unit":"${stranger}"`],
			["segue.events.play", `"${stranger}"`],
			["segue.events.play", `${stranger}`],
			["segue.events.play", `{"${stranger}":1}`],
			["segue.events._pack", JSON.stringify(pack)],
		] as const)
			broker.publish(subject, body);
		await waitFor(
			async () =>
				(await client.query("select 1 from dead_letters")).rowCount === 6,
			20_000,
			() => `they were not refused:\n${instance.output()}`,
		);
		expect(holding(await allTables(client), stranger)).toEqual([]);
		const { rows } = await client.query(
			"select l.reason, count(*)::int as count from dead_letters l group by 1 order by 1",
		);
		expect(rows).toEqual([
			{
				reason: "bad event: its words may name a unit and are not kept",
				count: 2,
			},
			{
				reason: "not JSON: its words may name a unit and are not kept",
				count: 2,
			},
			{ reason: expect.stringMatching(/^raw unit: /), count: 2 },
		]);
		expect(instance.output()).not.toContain(stranger);
	});

	it("a key that begins later names units from its instant on: outcomes of decisions before it count, profile and consent stand", async () => {
		const open = await decide(unit);
		await waitFor(
			() => Date.now() > changeAt,
			CHANGE_IN_MS + 5_000,
			() => "",
		);
		const after = await decide(unit);
		const decision = await shown(after);
		expect(decision.unit).toMatch(/^~b2\.[\w-]{22}$/);
		expect(decision.context.loyalty).toBe(3);
		expect((await send(instance.url, "GET", `${path}/consent`)).body).toEqual({
			personalization: true,
		});
		await send(instance.url, "POST", "/v1/events", {
			events: [event(unit, open), event(unit, after)],
		});
		for (const id of [open, after]) await applied(id);
		await send(instance.url, "PUT", `${path}/profile`, { loyalty: 5 });
		expect((await shown(await decide(unit))).context.loyalty).toBe(5);
		await nowhere(unit);
	});

	it("an erasure takes out what is kept under each name", async () => {
		const { status, body } = await send(instance.url, "DELETE", path);
		expect(status).toBe(200);
		expect(body.removed.decisions).toBeGreaterThanOrEqual(5);
		expect(body.removed.profiles).toBe(2);
		expect(
			(await send(instance.url, "GET", `/v1/decisions/${before}`)).status,
		).toBe(404);
		expect(
			(await client.query("select 1 from decisions d where d.unit ~ '^~'"))
				.rowCount,
		).toBe(0);
	});

	it("a process or command line without the keys, or with another secret, says so instead of finding nothing", async () => {
		await decide("another");
		await waitFor(
			async () =>
				(await client.query("select 1 from decisions")).rowCount !== 0,
			20_000,
			() => "the decision was not stored",
		);
		const file = join(instance.folder, "units.txt");
		await writeFile(file, "another\n");
		const { SEGUE_UNIT_KEY: keys = "", ...without } = env;
		const refused = await segueCli(["units", "erase", "--file", file], without);
		expect(refused.code).toBe(2);
		expect(refused.stderr).toContain('Units are named by the key "b2"');
		for (const app of ["decider", "learner"] as const)
			await expect(startSegue({ app, env: without })).rejects.toThrow(
				'Units are named by the key "b2"',
			);
		const another = {
			...env,
			SEGUE_UNIT_KEY: keys.replace(/^a1:[^,]+/, `a1:${secret()}`),
		};
		const told = 'The key "a1" of SEGUE_UNIT_KEY has another secret';
		for (const app of ["decider", "learner"] as const)
			await expect(startSegue({ app, env: another })).rejects.toThrow(told);
		const astray = await segueCli(["units", "erase", "--file", file], another);
		expect(astray.code).toBe(2);
		expect(astray.stderr).toContain(told);
		const erased = await segueCli(
			["units", "erase", "--file", file, "--json"],
			env,
		);
		expect(JSON.parse(erased.stdout)).toMatchObject({
			units: 1,
			removed: { decisions: 1 },
		});
		expect(`${refused.stderr}${erased.stderr}`).not.toContain(keys);
	});
});
