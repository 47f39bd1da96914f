import { randomUUID } from "node:crypto";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
	runExperiment,
	sampleEvent,
	sampleExperiment,
	sampleRequest,
	send,
} from "../support/client.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { startNats, type TestNats } from "../support/nats-server.js";
import {
	type Instance,
	segueCli,
	startSegue,
	waitFor,
} from "../support/segue.js";

const encode = (text: string) => new TextEncoder().encode(text);
const AHEAD_MS = 5 * 60_000;
/** Seven seconds are waited for a pack, and every two it is looked; the rest is for a busy machine. */
const NOTICED_MS = 12_000;

describe("a decider, a learner and their broker", { timeout: 120_000 }, () => {
	let nats: TestNats;
	let database: TestDatabase;
	let client: pg.Client;
	let connection: NatsConnection;
	let env: Record<string, string>;
	let decider: Instance;
	let learner: Instance;

	beforeAll(async () => {
		nats = await startNats();
		database = await createTestDatabase();
		env = { DATABASE_URL: database.connectionString, NATS_URL: nats.url };
		connection = await connect({ servers: nats.url });
		decider = await startSegue({ app: "decider", env });
		client = new pg.Client({ connectionString: database.connectionString });
		await client.connect();
		await runExperiment(decider.url, sampleExperiment);
		learner = await startSegue({ app: "learner", env });
	});
	afterAll(async () => {
		await learner?.stop();
		await decider?.stop();
		await connection?.close();
		await client?.end();
		await database?.drop();
		await nats?.stop();
	});

	const published = async () =>
		(await send(learner.url, "GET", "/health/ready")).body.parts.published;
	const metric = async (name: string) => {
		const { body } = await send(learner.url, "GET", "/metrics");
		const line = String(body)
			.split("\n")
			.find((one) => one.startsWith(`${name} `));
		return line === undefined ? null : Number(line.split(" ").at(-1));
	};
	const letters = async () =>
		(
			await client.query(
				"select l.id, l.subject, l.reason, l.redriven_at from dead_letters l order by l.id",
			)
		).rows;
	const segue = async (...args: string[]) => {
		const { code, stdout, stderr } = await segueCli(args, env);
		return { code, stderr, said: stdout === "" ? null : JSON.parse(stdout) };
	};

	test("a pack that the stream loses is named within seconds by health, log and metric, and forgotten once it arrives", async () => {
		const manager = await jetstreamManager(connection);
		// What it asked for in vain has run out, so that nothing is on its way to it.
		learner.process.kill("SIGSTOP");
		await waitFor(
			async () =>
				(await manager.consumers.info("SEGUE", "learners")).num_waiting === 0,
			30_000,
			() => "the learner's last request did not run out",
		);
		const { state } = await manager.streams.info("SEGUE");
		for (let i = 0; i < 4; i++) {
			const request = sampleRequest(i);
			const answer = await send(decider.url, "POST", "/v1/decisions", request);
			expect(answer.status, JSON.stringify(answer.body)).toBe(200);
			await send(decider.url, "POST", "/v1/events", {
				events: [sampleEvent(i, request.unit, answer.body.decisionId)],
			});
		}
		const seq = state.last_seq + 3;
		const lost = await manager.streams.getMessage("SEGUE", { seq });
		if (lost === null) throw new Error("The stream has no such message.");
		const { boot, sequence } = lost.json<{ boot: string; sequence: number }>();
		await manager.streams.deleteMessage("SEGUE", seq);
		learner.process.kill("SIGCONT");
		const since = performance.now();

		const name = `pack ${sequence} of decider ${boot}`;
		await waitFor(
			async () => (await published()).ok === false,
			NOTICED_MS,
			() => `nobody noticed:\n${learner.output()}`,
		);
		console.log(
			`losses: a lost pack is named after ${Math.round(performance.now() - since)} ms`,
		);
		expect((await published()).detail).toContain(
			`1 packs are missing: ${name}`,
		);
		expect(learner.output()).toContain(`The stream never brought ${name}`);
		expect(await metric("segue_published_missing")).toBe(1);

		await connection.publish(lost.subject, lost.data);
		await waitFor(
			async () => (await published()).ok === true,
			30_000,
			() => `it stayed missing:\n${learner.output()}`,
		);
		expect(
			await metric('segue_published_gaps_total{outcome="recovered"}'),
		).toBe(1);
	});

	test("poison is dead-lettered item by item, each once; list shows it to the letter, redrive publishes it to be judged anew", async () => {
		const play = "segue.events.play";
		const good = (id: string, at = Date.now()) =>
			JSON.stringify({ id, type: "play", at, unit: "u-poison" });
		const soon = Date.now() + AHEAD_MS + 6_000;
		const pack = `{"boot":"${randomUUID()}","sequence":1,"events":[${[
			good("in-pack-1"),
			'{"id":"x","type":"play","at":1,"unit":"u","value":1e309}',
			good("in-pack-2"),
			'{"id":"nul\\u0000","type":"play","at":1,"unit":"u"}',
			good("in-pack-soon", soon),
			'{"__proto__":{"id":"x"}}',
		].join(",")}]}`;
		const poison: [string, Uint8Array][] = [
			[play, encode("{nonsense")],
			[play, Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d)],
			[play, encode('{"id":"a","value":NaN}')],
			[play, encode(`${"[".repeat(10_000)}${"]".repeat(10_000)}`)],
			[play, encode(`{"id":"${"x".repeat(1_040_000)}"}`)],
			["segue.events.skip", encode(good("wrong subject"))],
			["segue.log.pack", encode('{"boot":1}')],
		];
		for (const [subject, body] of [
			...poison,
			["segue.events._pack", encode(pack)] as const,
			[play, encode(good("behind"))] as const,
		])
			connection.publish(subject, body);

		const stored = async (...ids: string[]) =>
			(
				await client.query(
					"select s.event_id from signals s where s.event_id = any ($1) order by s.event_id",
					[ids],
				)
			).rows.map((row) => row.event_id);
		// Two batches may be under way at once: what was published last is not
		// always what is stored last.
		const count = poison.length + 4;
		const events = ["behind", "in-pack-1", "in-pack-2"];
		await waitFor(
			async () =>
				(await stored(...events)).length === events.length &&
				(await letters()).length >= count,
			30_000,
			() => `not all were judged:\n${learner.output()}`,
		);
		expect(await stored(...events)).toEqual(events);
		const kept = await letters();
		expect(kept.length, JSON.stringify(kept)).toBe(count);
		expect(await metric("segue_dead_letters_waiting")).toBe(count);

		const { said: listed } = await segue("dead-letters", "list", "--json");
		const payloads = listed.letters.map(
			(one: { payload?: string }) => one.payload,
		);
		expect(payloads).toContain("{nonsense");
		expect(payloads.join()).toContain('"value":1e309}]}');
		const future = await segue(
			...[
				"dead-letters",
				"list",
				"--reason",
				"future",
				"--since",
				"1h",
				"--json",
			],
		);
		expect(future.said.letters.length).toBe(1);

		// Until the stream's clock has come near enough.
		await new Promise((resolve) =>
			setTimeout(resolve, Math.max(0, soon - AHEAD_MS - Date.now())),
		);
		const [id] = future.said.letters.map((one: { id: number }) => one.id);
		const redriven = await segue(
			...["dead-letters", "redrive", "--id", String(id), "--json"],
		);
		expect(redriven).toMatchObject({
			code: 0,
			said: { redriven: [id], refused: [], skipped: [], stopped: null },
		});
		await waitFor(
			async () => (await stored("in-pack-soon")).length === 1,
			30_000,
			() => `the redriven event was not learned:\n${learner.output()}`,
		);
		const again = await segue(
			...["dead-letters", "redrive", "--id", String(id), "--json"],
		);
		expect(again.said).toMatchObject({ redriven: [], skipped: [id] });

		// The others are refused again: as many new ones, the old ones marked.
		const all = await segue("dead-letters", "redrive", "--all", "--json");
		expect(all.said.redriven.length).toBe(count - 1);
		await waitFor(
			async () => (await letters()).length === 2 * count - 1,
			30_000,
			() => `they were not judged again:\n${learner.output()}`,
		);
		const now = await letters();
		const byMark = (marked: boolean) =>
			now
				.filter((one) => (one.redriven_at !== null) === marked)
				.filter((one) => Number(one.id) !== id)
				.map(({ subject, reason }) => `${subject} ${reason}`)
				.sort();
		expect(byMark(false)).toEqual(byMark(true));
		expect(await metric("segue_dead_letters_waiting")).toBe(count - 1);
		expect((await published()).ok).toBe(true);
	});
});
