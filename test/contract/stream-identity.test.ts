import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Database, PostgresStreamMarks } from "#adapters/postgres";
import { type JetStream, openJetStream } from "#adapters/stream";
import { streamChangeSentence, WatchStream } from "#usecases/watching";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { startNats, type TestNats } from "../support/nats-server.js";
import { eventually } from "./eventually.js";

describe("which stream the broker has", { timeout: 90_000 }, () => {
	let own: TestDatabase;
	let database: Database;
	let leftOpen: { close(): Promise<unknown> }[] = [];

	beforeAll(async () => {
		own = await createTestDatabase({ migrated: true });
		const { connectionString } = own;
		database = new Database({ connectionString, applicationName: "test" });
	});
	afterEach(async () => {
		for (const one of leftOpen.reverse()) await one.close();
		leftOpen = [];
		await database.query(
			"update installation set stream_identity = null, stream_last_position = 0",
		);
	});
	afterAll(async () => {
		await database.close();
		await own.drop();
	});

	async function start(): Promise<{ server: TestNats; stream: JetStream }> {
		const server = await startNats();
		leftOpen.push({ close: () => server.stop() });
		return { server, stream: await open(server) };
	}

	async function open(server: TestNats): Promise<JetStream> {
		const stream = await openJetStream({ servers: server.url });
		leftOpen.push(stream);
		return stream;
	}

	const watchOf = (stream: JetStream) =>
		new WatchStream(stream, new PostgresStreamMarks(database));

	let last = 0;
	async function publish(stream: JetStream, count: number): Promise<void> {
		for (let i = 0; i < count; i++) {
			const id = `m${++last}`;
			await eventually(() =>
				stream.publish("segue.events.play", new Uint8Array(1), id, 2_000),
			);
		}
	}

	const back = (stream: JetStream) =>
		eventually(async () => {
			expect(stream.connected).toBe(true);
			return await stream.identity();
		});

	it("is the same after a kill -9, also where all its messages were learned and deleted", async () => {
		const { server, stream } = await start();
		const watch = watchOf(stream);
		expect(await watch.execute()).toBeNull();
		await publish(stream, 20);
		expect(await watch.execute()).toBeNull();
		const known = await new PostgresStreamMarks(database).read();
		expect(known).toEqual({
			name: expect.stringMatching(/^SEGUE made 2\d{3}-/),
			lastPosition: 20,
		});
		await eventually(async () => {
			for (const held of await stream.pull(20, 50)) held.acknowledge();
			expect(await stream.backlog()).toBe(0);
		});
		await stream.purge(Date.now() + 60_000);
		await server.kill();
		await server.restart();
		expect(await back(stream)).toEqual(known);
		expect(await watch.execute()).toBeNull();
		await publish(stream, 1);
		expect((await stream.identity())?.lastPosition).toBe(21);
	});

	it("is another one where the broker comes back empty; it is told once, by one of the learners, who then know the new one", async () => {
		const { server, stream } = await start();
		const others = [watchOf(stream), watchOf(stream), watchOf(stream)];
		await publish(stream, 5);
		await others[0]?.execute();
		await server.kill();
		expect(await others[0]?.execute()).toBeNull();
		await rm(join(server.folder, "jetstream"), {
			recursive: true,
			force: true,
		});
		await server.restart();
		await back(stream);
		const told = (
			await Promise.all(others.map((watch) => watch.execute()))
		).filter((change) => change !== null);
		expect(told).toMatchObject([
			{ kind: "another", was: { lastPosition: 5 }, now: { lastPosition: 0 } },
		]);
		for (const change of told)
			expect(streamChangeSentence(change)).toMatch(
				/is another one \(SEGUE made .*, at position 0\) than before \(SEGUE made .*, at position 5\)/,
			);
		expect(await others[1]?.execute()).toBeNull();
	});

	it("is another one where somebody deleted it, even where it has as many messages again", async () => {
		const { stream } = await start();
		const watch = watchOf(stream);
		await publish(stream, 3);
		await watch.execute();
		const manager = await jetstreamManager(stream.connection);
		await manager.streams.delete("SEGUE");
		await publish(stream, 4);
		expect(await watch.execute()).toMatchObject({ kind: "another" });
	});

	it("is older where the broker's storage was restored from a copy; told once", async () => {
		const { server, stream } = await start();
		const watch = watchOf(stream);
		await publish(stream, 5);
		await server.kill();
		const copy = await mkdtemp(join(tmpdir(), "segue-copy-"));
		await cp(join(server.folder, "jetstream"), copy, { recursive: true });
		await server.restart();
		await back(stream);
		await publish(stream, 7);
		expect(await watch.execute()).toBeNull();
		await server.kill();
		await rm(join(server.folder, "jetstream"), { recursive: true });
		await cp(copy, join(server.folder, "jetstream"), { recursive: true });
		await server.restart();
		await back(stream);
		const change = await watch.execute();
		expect(change).toMatchObject({
			kind: "older",
			was: { lastPosition: 12 },
			now: { lastPosition: 5 },
		});
		expect(await watch.execute()).toBeNull();
		await rm(copy, { recursive: true });
	});

	it("is not in doubt where another learner raises the mark between two questions", async () => {
		const { stream } = await start();
		const marks = new PostgresStreamMarks(database);
		await publish(stream, 5);
		await watchOf(stream).execute();
		const slow = new WatchStream(stream, {
			read: async () => {
				const before = await marks.read();
				await publish(stream, 2);
				await watchOf(stream).execute();
				return before;
			},
			replace: (...call) => marks.replace(...call),
			raise: (now) => marks.raise(now),
		});
		expect(await slow.execute()).toBeNull();
		expect(await marks.read()).toMatchObject({ lastPosition: 7 });
	});
});
