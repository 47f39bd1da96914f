import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
	runExperiment,
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

const RUNBOOK =
	"Packs are missing, or the broker came back with another stream";

describe("a broker that comes back", { timeout: 120_000 }, () => {
	let nats: TestNats;
	let database: TestDatabase;
	let client: pg.Client;
	let env: Record<string, string>;
	let decider: Instance;
	let learner: Instance;

	beforeAll(async () => {
		nats = await startNats();
		database = await createTestDatabase();
		env = { DATABASE_URL: database.connectionString, NATS_URL: nats.url };
		decider = await startSegue({ app: "decider", env });
		client = new pg.Client({ connectionString: database.connectionString });
		await client.connect();
		await runExperiment(decider.url, sampleExperiment);
		learner = await startSegue({ app: "learner", env });
	});
	afterAll(async () => {
		await learner?.stop();
		await decider?.stop();
		await client?.end();
		await database?.drop();
		await nats?.stop();
	});

	const published = async () =>
		(await send(learner.url, "GET", "/health/ready")).body.parts.published;
	const changes = async (kind: string) => {
		const { body } = await send(learner.url, "GET", "/metrics");
		const name = `segue_stream_identity_changed_total{kind="${kind}"} `;
		const line = String(body)
			.split("\n")
			.find((one) => one.startsWith(name));
		return line === undefined ? 0 : Number(line.split(" ").at(-1));
	};
	const segue = (...args: string[]) => segueCli(args, env);
	/** Decides, and waits until it is in the log. */
	const learnedFrom = async (request: object) => {
		const { body } = await send(decider.url, "POST", "/v1/decisions", request);
		const { decisionId } = body;
		await waitFor(
			async () =>
				(
					await client.query("select 1 from decisions d where d.id = $1", [
						decisionId,
					])
				).rowCount === 1,
			30_000,
			() => `${decisionId} was not learned:\n${learner.output()}`,
		);
	};
	const lastPosition = async (): Promise<number> => {
		const connection = await connect({ servers: nats.url });
		const manager = await jetstreamManager(connection);
		const { state } = await manager.streams.info("SEGUE");
		await connection.close();
		return state.last_seq;
	};
	const marked = async (): Promise<number> =>
		Number(
			(
				await client.query(
					"select i.stream_last_position as n from installation i",
				)
			).rows[0]?.n,
		);
	/** The sentence of the learner's log with these words. */
	const said = (words: string): string =>
		JSON.parse(
			learner
				.output()
				.split("\n")
				.find((line) => line.includes(words)) ?? "{}",
		).msg;

	test("empty is said by the learner, and both go on with the new stream", async () => {
		await learnedFrom(sampleRequest(98));
		await nats.kill();
		await rm(join(nats.folder, "jetstream"), { recursive: true, force: true });
		const unreachable = await segue("dead-letters", "redrive", "--all");
		expect(unreachable.code).toBe(2);
		expect(unreachable.stderr).toContain("No NATS server answered at");
		await nats.restart();
		await waitFor(
			() => learner.output().includes("The stream is another one"),
			30_000,
			() => `nobody noticed:\n${learner.output()}`,
		);
		expect(await changes("another")).toBe(1);
		expect(said("The stream is another one")).toContain(
			`see "${RUNBOOK}" in docs/runbook.md`,
		);
		await learnedFrom(sampleRequest(99));
	});

	test("with an older copy is said by the learner with where it stands and what to do, and both go on", async () => {
		await learnedFrom(sampleRequest(100));
		await nats.kill();
		const store = join(nats.folder, "jetstream");
		const copy = await mkdtemp(join(tmpdir(), "segue-copy-"));
		await cp(store, copy, { recursive: true });
		await nats.restart();
		const copied = await lastPosition();
		for (let i = 101; i < 104; i++) await learnedFrom(sampleRequest(i));
		const last = await lastPosition();
		expect(last).toBeGreaterThan(copied);
		await waitFor(
			async () => (await marked()) === last,
			30_000,
			() => "no learner keeps where the stream stands",
		);

		await nats.kill();
		await rm(store, { recursive: true });
		await cp(copy, store, { recursive: true });
		await rm(copy, { recursive: true });
		await nats.restart();
		await waitFor(
			() => learner.output().includes("is older than it was"),
			30_000,
			() => `nobody noticed:\n${learner.output()}`,
		);
		const sentence = said("is older than it was");
		expect(sentence).toContain(
			`its last position is ${copied} and was ${last}`,
		);
		expect(sentence).toContain(`see "${RUNBOOK}" in docs/runbook.md`);
		const runbook = await readFile(
			new URL("../../docs/runbook.md", import.meta.url),
			"utf8",
		);
		expect(runbook).toContain(`\n## ${RUNBOOK}\n`);
		expect(await changes("older")).toBe(1);

		await learnedFrom(sampleRequest(104));
		expect((await published()).ok).toBe(true);
		const replayed = await segue("replay", "--json");
		expect(replayed.code, replayed.stdout).toBe(0);
		expect(JSON.parse(replayed.stdout)).toMatchObject({ equal: true });
	});
});
