import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Answered } from "../support/answered.js";
import { openBroker } from "../support/broker.js";
import { runExperiment, sampleExperiment, send } from "../support/client.js";
import { createTestDatabase } from "../support/database.js";
import { asked } from "../support/faults/asked.js";
import { inForm, LONG, seedOf } from "../support/faults/form.js";
import { startNats, type TestNats } from "../support/nats-server.js";
import { seededRandom } from "../support/random.js";
import { startSegue, waitFor } from "../support/segue.js";
import { mountSmallDisk } from "../support/small-disk.js";

const DEDUPE_MS = inForm({ short: 500, long: 2_000 });
const NANOS_PER_MS = 1_000_000;
/** How long a stream or a disk stays full. */
const FULL_MS = inForm({ short: 500, long: 20_000 });

const cleanups: (() => Promise<unknown>)[] = [];
afterAll(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A decider and a learner on a broker of their own, which has stood on its folder before where the test put something there. */
async function startParts(before?: (nats: TestNats) => Promise<void>) {
	const nats = await startNats();
	cleanups.push(() => nats.stop());
	await before?.(nats);
	const database = await createTestDatabase();
	cleanups.push(() => database.drop());
	const env = {
		DATABASE_URL: database.connectionString,
		NATS_URL: nats.url,
	};
	const instance = await startSegue({ app: "decider", env });
	cleanups.push(() => instance.stop());
	const learner = await startSegue({ app: "learner", env });
	cleanups.push(() => {
		// A test that failed may have left it standing still.
		learner.process.kill("SIGCONT");
		return learner.stop();
	});
	await runExperiment(instance.url, sampleExperiment);
	const answered = new Answered();
	return {
		nats,
		instance,
		learner,
		answered,
		databaseUrl: database.connectionString,
		/** Until what was answered meanwhile had to go to the spool. */
		spooled: async () => {
			answered.degraded.clear();
			await waitFor(
				() => answered.degraded.has("stream"),
				60_000,
				() => "no decision went to the spool",
			);
			const [newest] = [...answered.decided.keys()].slice(-1);
			const found = await send(instance.url, "GET", `/v1/decisions/${newest}`);
			expect(found.status, "a decision that is on its way").toBe(200);
		},
		/** Until the spool is empty, by itself. */
		drained: () =>
			waitFor(
				async () => {
					const { body } = await send(instance.url, "GET", "/metrics");
					return /^segue_spool_entries 0$/m.test(String(body));
				},
				60_000,
				() =>
					`the spool did not drain:\n${instance.output().slice(-1_500)}\n${learner.output().slice(-3_000)}`,
			),
	};
}

describe("the broker fails: no answer is refused, nothing is lost or counted twice, the spool drains alone", {
	timeout: 1_200_000,
}, () => {
	/** What each fault leaves goes on into the next. */
	let parts: Awaited<ReturnType<typeof startParts>>;
	const seed = seedOf("nats");
	beforeAll(async () => {
		parts = await startParts();
	});

	test("kill -9, again and again", async () => {
		const { nats, instance, answered } = parts;
		const random = seededRandom(seed);
		const kills = inForm({ short: 2, long: 25 });
		const traffic = answered.traffic(instance.url, 2, 15);
		for (let kill = 0; kill < kills; kill++) {
			await sleep(1_000 * random());
			await nats.kill("SIGKILL");
			await parts.spooled();
			await nats.restart();
		}
		await parts.drained();
		await traffic.stop();
		console.log(`${kills} kills, ${answered.decided.size} decisions.`);
		expect(answered.refused).toEqual([]);
		await answered.provenOnce(parts.databaseUrl);
	});

	test("stopped for longer than it knows ids: what comes twice is counted once", async () => {
		const { nats, instance, answered } = parts;
		const broker = await openBroker(nats.url);
		cleanups.push(() => broker.close());
		const random = seededRandom(seed + 1);
		const traffic = answered.traffic(instance.url, 2, 15);
		for (let stop = 0; stop < inForm({ short: 1, long: 5 }); stop++) {
			await broker.set({ duplicate_window: DEDUPE_MS * NANOS_PER_MS });
			await sleep(500 * random());
			await nats.kill("SIGSTOP");
			await parts.spooled();
			await sleep(DEDUPE_MS * (1.1 + random()));
			await nats.kill("SIGCONT");
			await parts.drained();
		}
		await traffic.stop();
		// Beyond chance: now every message comes twice, and the broker does not notice.
		await broker.set({ duplicate_window: DEDUPE_MS * NANOS_PER_MS });
		// It looks for old ids now and then.
		await sleep(DEDUPE_MS * 3);
		const { messages } = await broker.state();
		const repeated = await broker.repeatAll();
		expect((await broker.state()).messages).toBe(messages + repeated);
		console.log(`${repeated} messages, each stored twice at least.`);
		expect(answered.refused).toEqual([]);
		await answered.provenOnce(parts.databaseUrl);
	});

	test("the stream is full: the oldest message stays, and learners that are back make room in what they have learned", async () => {
		const { nats, instance, learner, answered } = parts;
		const broker = await openBroker(nats.url);
		cleanups.push(() => broker.close());
		const traffic = answered.traffic(instance.url, 2, 15);
		const random = seededRandom(seed + 2);
		learner.process.kill("SIGSTOP");
		const { first_seq, first_ts, bytes } = await broker.state();
		const room = Math.round(200_000 + 400_000 * random());
		await broker.set({ max_bytes: bytes + room });
		// Until the deciders have heard of it.
		await sleep(1_500);
		answered.degraded.clear();
		while (!answered.degraded.has("stream"))
			await answered.heavy(instance.url, 20);
		await parts.spooled();
		await sleep(FULL_MS * (0.75 + random() / 2));
		expect((await broker.state()).first_seq).toBe(first_seq);
		learner.process.kill("SIGCONT");
		await parts.drained();
		await traffic.stop();
		await answered.provenOnce(parts.databaseUrl);
		expect(answered.refused).toEqual([]);
		expect((await broker.state()).first_seq).toBeGreaterThan(first_seq);
		// Deciders that start must not take it for whole as far back as before.
		const [row] = await asked<{ since: Date | null }>(
			parts.databaseUrl,
			"select i.stream_whole_since as since from installation i",
		);
		expect(row?.since?.getTime()).toBeGreaterThan(Date.parse(String(first_ts)));
	});

	// A nats-server takes long to give up on a full disk: the long form alone.
	test.runIf(LONG)("its disk is full, and has room again", async (context) => {
		const mounted: Awaited<ReturnType<typeof mountSmallDisk>>[] = [];
		const own = await startParts(async (nats) => {
			await nats.kill();
			mounted.push(await mountSmallDisk(join(nats.folder, "jetstream"), 64));
			await nats.restart();
		});
		const [disk] = mounted;
		if (disk === undefined || typeof disk === "string")
			return context.skip(disk);
		cleanups.push(() => disk.remove());
		const { nats, instance, answered } = own;
		const random = seededRandom(seed + 3);
		const traffic = answered.traffic(instance.url, 2, 15);
		await sleep(1_000 * random());
		await disk.fill(256 * 1_024);
		for (let i = 0; i < 10; i++) await answered.heavy(instance.url, 40);
		await own.spooled();
		await sleep(FULL_MS * (0.75 + random() / 2));
		expect(await disk.free()).toBeLessThan(64 * 1_024);
		await disk.empty();
		// A nats-server whose disk was full turns JetStream off until it is started again.
		await nats.restart();
		await own.drained();
		await traffic.stop();
		expect(answered.refused).toEqual([]);
		await answered.provenOnce(own.databaseUrl);
	});
});
