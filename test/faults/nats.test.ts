import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
	jetstream,
	jetstreamManager,
	type StreamConfig,
} from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterEach, describe, expect, test } from "vitest";
import { Answered } from "../support/answered.js";
import { runExperiment, sampleExperiment, send } from "../support/client.js";
import { createTestDatabase } from "../support/database.js";
import { startNats, type TestNats } from "../support/nats-server.js";
import { startSegue, waitFor } from "../support/segue.js";
import { mountSmallDisk, type SmallDisk } from "../support/small-disk.js";

const LONG = process.env.SEGUE_FAULTS === "long";
const DEDUPE_MS = 2_000;
const NANOS_PER_MS = 1_000_000;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startParts(before?: (nats: TestNats) => Promise<void>) {
	const nats = await startNats();
	cleanups.push(() => nats.stop());
	await before?.(nats);
	const database = await createTestDatabase();
	cleanups.push(() => database.drop());
	const instance = await startSegue({
		env: { DATABASE_URL: database.connectionString, NATS_URL: nats.url },
	});
	cleanups.push(() => instance.stop());
	await runExperiment(instance.url, sampleExperiment);
	const answered = new Answered();
	return {
		nats,
		instance,
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
				() => `the spool did not drain:\n${instance.output().slice(-3_000)}`,
			),
	};
}

/** The broker's own door, for what only an operator does. */
async function administer(url: string) {
	const connection = await connect({ servers: url });
	cleanups.push(() => connection.close());
	const manager = await jetstreamManager(connection);
	return {
		state: async () => (await manager.streams.info("SEGUE")).state,
		set: async (change: Partial<StreamConfig>) => {
			const { config } = await manager.streams.info("SEGUE");
			await manager.streams.update("SEGUE", { ...config, ...change });
		},
		/** Sends every message once more under its own id, as a publisher does that heard no answer. */
		repeatAll: async () => {
			const { state } = await manager.streams.info("SEGUE");
			for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
				const held = await manager.streams.getMessage("SEGUE", { seq });
				if (held === null) continue;
				const msgID = held.header.get("Nats-Msg-Id");
				await jetstream(connection).publish(held.subject, held.data, { msgID });
			}
		},
	};
}

describe("the broker fails: no answer is refused, nothing is lost or counted twice, the spool drains alone", {
	timeout: 1_200_000,
}, () => {
	test("kill -9, again and again", async () => {
		const { nats, instance, answered, ...parts } = await startParts();
		const kills = LONG ? 25 : 2;
		const traffic = answered.traffic(instance.url, 2, 15);
		for (let kill = 0; kill < kills; kill++) {
			await sleep(200 + 130 * (kill % 7));
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
		const { nats, instance, answered, ...parts } = await startParts();
		const broker = await administer(nats.url);
		const traffic = answered.traffic(instance.url, 2, 15);
		for (let stop = 0; stop < (LONG ? 5 : 1); stop++) {
			await broker.set({ duplicate_window: DEDUPE_MS * NANOS_PER_MS });
			await nats.kill("SIGSTOP");
			await parts.spooled();
			await sleep(DEDUPE_MS * 1.5);
			await nats.kill("SIGCONT");
			await parts.drained();
		}
		await traffic.stop();
		// Beyond chance: now every message comes twice, and the broker does not notice.
		await broker.set({ duplicate_window: DEDUPE_MS * NANOS_PER_MS });
		await sleep(DEDUPE_MS * 1.5);
		const { messages } = await broker.state();
		await broker.repeatAll();
		expect((await broker.state()).messages).toBe(2 * messages);
		console.log(`${messages} messages, each stored twice.`);
		expect(answered.refused).toEqual([]);
		await answered.provenOnce(parts.databaseUrl);
	});

	test("the stream is full: the oldest message stays, and all goes on when there is room", async () => {
		const { nats, instance, answered, ...parts } = await startParts();
		const broker = await administer(nats.url);
		const traffic = answered.traffic(instance.url, 2, 15);
		await waitFor(
			() => answered.decided.size > 20,
			30_000,
			() => "no traffic",
		);
		const { first_seq, bytes } = await broker.state();
		await broker.set({ max_bytes: bytes + 400_000 });
		// Until the deciders have heard of it.
		await sleep(1_500);
		for (let i = 0; i < 10; i++) await answered.heavy(instance.url, 20);
		await parts.spooled();
		await sleep(LONG ? 20_000 : 1_000);
		expect((await broker.state()).first_seq).toBe(first_seq);
		await broker.set({ max_bytes: 64 * 1_048_576 });
		await parts.drained();
		await traffic.stop();
		expect((await broker.state()).first_seq).toBe(first_seq);
		expect(answered.refused).toEqual([]);
		await answered.provenOnce(parts.databaseUrl);
	});

	// A nats-server takes long to give up on a full disk: the long form alone.
	test.runIf(LONG)("its disk is full, and has room again", async (context) => {
		let mounted: SmallDisk | string = "";
		const { nats, instance, answered, ...parts } = await startParts(
			async (nats) => {
				await nats.kill();
				mounted = await mountSmallDisk(join(nats.folder, "jetstream"), 64);
				await nats.restart();
			},
		);
		const disk = mounted as SmallDisk | string;
		if (typeof disk === "string") return context.skip(disk);
		cleanups.push(() => disk.remove());
		const traffic = answered.traffic(instance.url, 2, 15);
		await sleep(500);
		await disk.fill(256 * 1_024);
		for (let i = 0; i < 10; i++) await answered.heavy(instance.url, 40);
		await parts.spooled();
		await sleep(LONG ? 20_000 : 1_000);
		expect(await disk.free()).toBeLessThan(64 * 1_024);
		await disk.empty();
		// A nats-server whose disk was full turns JetStream off until it is started again.
		await nats.restart();
		await parts.drained();
		await traffic.stop();
		expect(answered.refused).toEqual([]);
		await answered.provenOnce(parts.databaseUrl);
	});
});
