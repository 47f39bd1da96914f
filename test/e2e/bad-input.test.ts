// Longer than 300 lines: one table of mistakes over every door, against one running instance.
import { connect as dial } from "node:net";
import { connect } from "@nats-io/transport-node";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
	runExperiment,
	sampleExperiment,
	sampleRequest,
	send,
} from "../support/client.js";
import { startNats } from "../support/nats-server.js";
import {
	type Instance,
	runtimeOf,
	startSegue,
	waitFor,
} from "../support/segue.js";

let instance: Instance;
let nats: Awaited<ReturnType<typeof startNats>>;
beforeAll(async () => {
	nats = await startNats();
	instance = await startSegue({ env: { NATS_URL: nats.url } });
	await runExperiment(instance.url, sampleExperiment);
});
afterAll(async () => {
	await instance?.stop();
	await nats?.stop();
});

const nested = (depth: number) =>
	`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
const good = sampleRequest(0);
const goodEvent = () => ({
	id: `bad-${Math.random()}`,
	type: "play",
	at: new Date().toISOString(),
	unit: "u",
});

describe("a decision request with a mistake gets a problem that says what and where", () => {
	const cases: readonly [string, unknown, number, RegExp][] = [
		["bad JSON", '{"experiment": ', 400, /JSON/i],
		[
			"NaN in the JSON",
			'{"experiment":"sample","unit":"u","context":{"tempo":NaN}}',
			400,
			/JSON/i,
		],
		[
			"unknown experiment",
			{ ...good, experiment: "nobody-knows" },
			404,
			/nobody-knows/,
		],
		[
			"unknown arm",
			{ ...good, eligible: ["a", "zz"] },
			422,
			/eligible\[1\].*zz|zz.*eligible\[1\]/s,
		],
		[
			"empty eligible set",
			{
				...good,
				context: { ...good.context, device: "speaker" },
				eligible: ["c"],
			},
			409,
			/context\.device/,
		],
		[
			"wrong type",
			{ ...good, context: { tempo: "fast" } },
			422,
			/context\.tempo/,
		],
		[
			"1e309",
			'{"experiment":"sample","unit":"u","context":{"tempo":1e309}}',
			422,
			/context\.tempo/,
		],
		[
			"10,000-deep nesting",
			`{"experiment":"sample","unit":"u","context":${nested(10_000)}}`,
			400,
			/deep|nest/i,
		],
		[
			"a body over 1 MiB",
			`{"experiment":"sample","unit":"u","x":"${"y".repeat(2_000_000)}"}`,
			413,
			/large|MiB|bytes/i,
		],
		[
			"__proto__",
			'{"experiment":"sample","unit":"u","context":{"__proto__":{"tempo":1}}}',
			400,
			/__proto__/,
		],
		["no unit", { experiment: "sample" }, 422, /unit/],
		["an empty unit", { ...good, unit: "" }, 422, /unit/],
		["a mistyped key", { ...good, contxt: {} }, 422, /contxt.*context/s],
	];
	for (const [name, body, status, says] of cases)
		test(name, async () => {
			const answer = await send(instance.url, "POST", "/v1/decisions", body);
			expect(answer.status, JSON.stringify(answer.body)).toBe(status);
			expect(answer.headers.get("content-type")).toContain(
				"application/problem+json",
			);
			expect(JSON.stringify(answer.body)).toMatch(says);
		});

	test("and nothing of them was logged", async () => {
		const { databaseUrl } = await runtimeOf(instance.folder);
		const client = new pg.Client({ connectionString: databaseUrl });
		await client.connect();
		const { rows } = await client.query(
			"select count(*)::int as n from decisions",
		);
		await client.end();
		expect(rows[0].n).toBe(0);
	});
});

describe("an event with a mistake is refused on its own, with its place", () => {
	const far = new Date(Date.now() + 86_400_000).toISOString();
	const cases: readonly [string, Record<string, unknown>, RegExp][] = [
		["a time in the far future", { at: far }, /at/],
		["a time that is none", { at: "yesterday" }, /at/],
		["an id that is no UUIDv7", { decisionId: "1234" }, /decisionId/],
		["an unknown key", { valeu: 3 }, /valeu/],
		["a value that is no number", { value: "much" }, /value/],
		["a type that is no token", { type: "a.b" }, /type/],
	];
	for (const [name, wrong, says] of cases)
		test(name, async () => {
			const events = [goodEvent(), { ...goodEvent(), ...wrong }];
			const answer = await send(instance.url, "POST", "/v1/events", { events });
			expect(answer.status).toBe(202);
			expect(answer.body.accepted).toBe(1);
			expect(answer.body.rejected).toHaveLength(1);
			expect(answer.body.rejected[0].index).toBe(1);
			expect(JSON.stringify(answer.body.rejected[0].problem)).toMatch(says);
		});

	test("1e309 as a value", async () => {
		const { id, type, at, unit } = goodEvent();
		const body = `{"events":[{"id":"${id}","type":"${type}","at":"${at}","unit":"${unit}","value":1e309}]}`;
		const answer = await send(instance.url, "POST", "/v1/events", body);
		expect(answer.body.accepted).toBe(0);
		expect(JSON.stringify(answer.body.rejected)).toMatch(/value/);
	});

	test("an event whose decision is not stored yet, and a repeated id, are accepted", async () => {
		const event = {
			...goodEvent(),
			decisionId: "019b0000-0000-7000-8000-000000000000",
		};
		const now = Date.now().toString(16).padStart(12, "0");
		event.decisionId = `${now.slice(0, 8)}-${now.slice(8)}-7000-8000-00000000beef`;
		for (let time = 0; time < 2; time++) {
			const answer = await send(instance.url, "POST", "/v1/events", {
				events: [event],
			});
			expect(answer.body).toEqual({ accepted: 1, rejected: [] });
		}
	});
});

describe("an experiment with a mistake is refused with the path", () => {
	const cases: readonly [
		string,
		(e: Record<string, unknown>) => unknown,
		RegExp,
	][] = [
		[
			"an unknown key",
			(e) => ({ ...e, hypotesis: "x" }),
			/hypotesis.*hypothesis/s,
		],
		[
			"two arms of one name",
			(e) => ({ ...e, arms: [{ key: "a" }, { key: "a" }] }),
			/arms\[1\]/,
		],
		[
			"a rule that does not parse",
			(e) => ({ ...e, arms: [{ key: "a", eligible: "context.device ===" }] }),
			/arms\[0\]\.eligible/,
		],
		[
			"a ridge that is no number",
			(e) => ({ ...e, policy: { kind: "linucb", alpha: 0.5, ridge: "x" } }),
			/policy\.ridge/,
		],
	];
	for (const [name, wrong, says] of cases)
		test(name, async () => {
			const body = wrong({ ...sampleExperiment, key: "broken" });
			const answer = await send(
				instance.url,
				"PUT",
				"/v1/experiments/broken",
				body,
			);
			expect(answer.status, JSON.stringify(answer.body)).toBe(422);
			expect(JSON.stringify(answer.body)).toMatch(says);
			expect(
				(await send(instance.url, "GET", "/v1/experiments/broken")).status,
			).toBe(404);
		});
});

describe("over NATS", () => {
	test("segue.decide answers plain JSON, and a mistake with a problem that has a status", async () => {
		const connection = await connect({ servers: nats.url });
		const ask = async (body: string) =>
			JSON.parse(
				(
					await connection.request("segue.decide", body, { timeout: 5_000 })
				).string(),
			);
		const decision = await ask(JSON.stringify(good));
		expect(decision.arm).toMatch(/^[abc]$/);
		expect(decision.decisionId).toMatch(/^[0-9a-f-]{36}$/);
		expect(await ask("{")).toMatchObject({ status: 400 });
		expect(
			await ask(JSON.stringify({ ...good, experiment: "nobody-knows" })),
		).toMatchObject({ status: 404 });
		expect(
			await ask(JSON.stringify({ ...good, context: { tempo: "x" } })),
		).toMatchObject({ status: 422 });
		expect(
			await ask(
				`{"experiment":"sample","unit":"u","context":${nested(10_000)}}`,
			),
		).toMatchObject({ status: 400 });
		expect(
			await ask(JSON.stringify({ ...good, eligible: ["zz"] })),
		).toMatchObject({ status: 422, errors: [{ path: "eligible[0]" }] });
		expect(
			await ask('{"experiment":"sample","unit":"u","context":{"tempo":1e309}}'),
		).toMatchObject({ status: 422, errors: [{ path: "context.tempo" }] });
		expect(
			await ask('{"experiment":"sample","unit":"u","context":{"tempo":NaN}}'),
		).toMatchObject({ status: 400 });
		await connection.close();
	});

	test("a malformed event goes to the dead letters with its reason and blocks nothing", async () => {
		const { jetstream } = await import("@nats-io/jetstream");
		const connection = await connect({ servers: nats.url });
		const stream = jetstream(connection);
		const event = {
			id: "nats-1",
			type: "play",
			at: new Date().toISOString(),
			unit: "u",
		};
		const far = new Date(Date.now() + 86_400_000).toISOString();
		const poison: readonly [string, string | Uint8Array, RegExp][] = [
			["play", "{", /JSON/i],
			["play", new Uint8Array([0xff, 0xfe, 0x00]), /UTF-8|JSON/i],
			[
				"play",
				JSON.stringify({ ...event, id: "p1", type: "skip" }),
				/type|subject/,
			],
			["play", JSON.stringify({ ...event, id: "p2", at: far }), /future/],
			["play", nested(10_000), /deep|nest/i],
			["play", JSON.stringify({ ...event, id: "a\u0000b" }), /id/],
			[
				"play",
				`{"__proto__":{},"id":"x","type":"play","at":"${event.at}","unit":"u"}`,
				/__proto__/,
			],
		];
		for (const [type, body] of poison)
			await stream.publish(`segue.events.${type}`, body);
		await stream.publish("segue.events.play", JSON.stringify(event));

		const { databaseUrl } = await runtimeOf(instance.folder);
		const client = new pg.Client({ connectionString: databaseUrl });
		await client.connect();
		await waitFor(
			async () =>
				(await client.query("select 1 from signals where event_id = 'nats-1'"))
					.rowCount === 1,
			10_000,
			() => "the good event behind the bad ones was not learned",
		);
		const { rows } = await client.query(
			"select reason from dead_letters order by id",
		);
		await client.end();
		await connection.close();
		const reasons: string[] = rows.map((row) => row.reason);
		for (const [, , says] of poison)
			expect(
				reasons.some((reason) => says.test(reason)),
				`${says} in ${reasons.join(" | ")}`,
			).toBe(true);
		expect(reasons).toHaveLength(poison.length);
	});

	test("a 2 MB message is refused by the broker itself, and Segue goes on answering and learning", async () => {
		expect(await publishRaw(nats.port, "segue.events.play", 2_000_000)).toMatch(
			/-ERR 'Maximum Payload/,
		);
		const connection = await connect({ servers: nats.url });
		expect(() =>
			connection.publish("segue.events.play", new Uint8Array(2_000_000)),
		).toThrow();
		const answer = await connection.request(
			"segue.decide",
			JSON.stringify(good),
			{ timeout: 5_000 },
		);
		expect(JSON.parse(answer.string()).decisionId).toBeTruthy();
		await connection.close();
	});
});

/** Announces a publish past the client library's own check (the broker judges the size announced); resolves with all it says until it ends the connection. */
function publishRaw(
	port: number,
	subject: string,
	bytes: number,
): Promise<string> {
	return new Promise((resolve) => {
		let said = "";
		const socket = dial(port, "127.0.0.1", () => {
			socket.write(`CONNECT {"verbose":false}\r\nPUB ${subject} ${bytes}\r\n`);
		});
		socket.on("data", (chunk) => {
			said += chunk.toString();
		});
		socket.on("error", () => {});
		socket.on("close", () => resolve(said));
	});
}
