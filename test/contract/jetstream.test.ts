import { rm } from "node:fs/promises";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterEach, expect, test } from "vitest";
import { type JetStream, openJetStream } from "#adapters/stream";
import { startNats, type TestNats } from "../support/nats-server.js";
import { eventually } from "./eventually.js";

import { type StreamHarness, streamSuite } from "./stream.suite.js";

streamSuite("JetStream", async (): Promise<StreamHarness> => {
	const server = await startNats();
	return {
		open: ({ holdMs }) =>
			openJetStream({ servers: server.url, ackWaitMs: holdMs }),
		reset: () => deleteStream(server.url),
		kill: () => server.kill(),
		revive: () => server.restart(),
		stop: () => server.stop(),
	};
});

let leftOpen: { close(): Promise<void> }[] = [];
afterEach(async () => {
	for (const one of leftOpen.reverse()) await one.close();
	leftOpen = [];
});

const text = (body: Uint8Array) => new TextDecoder().decode(body);
const publish = (stream: JetStream, said: string) =>
	stream.publish(
		"segue.events.click",
		new TextEncoder().encode(said),
		said,
		2_000,
	);

async function startServer(): Promise<TestNats> {
	const server = await startNats();
	leftOpen.push({ close: () => server.stop() });
	return server;
}

async function open(server: TestNats, maxBytes?: number): Promise<JetStream> {
	const stream = await openJetStream({
		servers: server.url,
		maxBytes,
		ackWaitMs: 1_000,
	});
	leftOpen.push(stream);
	return stream;
}

async function deleteStream(url: string): Promise<void> {
	const connection = await connect({ servers: url });
	const manager = await jetstreamManager(connection);
	await manager.streams.delete("SEGUE").catch(() => {});
	await connection.close();
}

test("stream and consumer can drop nothing that no learner acknowledged, and never stop delivering", async () => {
	const server = await startServer();
	const stream = await open(server);
	const manager = await jetstreamManager(stream.connection);
	const { config } = await manager.streams.info("SEGUE");
	expect(config).toMatchObject({
		subjects: ["segue.log.>", "segue.events.>"],
		retention: "limits",
		storage: "file",
		discard: "new",
		max_age: 0,
		max_msgs: -1,
		max_bytes: 2 * 1024 ** 3,
		duplicate_window: 120e9,
	});
	const learners = await manager.consumers.info("SEGUE", "learners");
	expect(learners.config).toMatchObject({
		ack_policy: "explicit",
		ack_wait: 1e9,
		max_deliver: -1,
		max_ack_pending: 131_072,
		deliver_policy: "all",
	});
});

test("a full stream refuses the new message and keeps the old ones", async () => {
	const server = await startServer();
	const stream = await open(server, 16_384);
	const body = new Uint8Array(4_096);
	const fill = async () => {
		for (let index = 0; index < 10; index += 1) {
			await stream.publish("segue.events.click", body, `fill-${index}`, 2_000);
		}
	};
	await expect(fill()).rejects.toThrow(/nearly full/);
	// One of these fits, for an old server, but for the overhead of its record: then it would drop the oldest.
	for (let size = 4_096; size > 64; size -= 30)
		await publish(stream, "x".repeat(size)).catch(() => undefined);
	expect((await stream.pull(1, 1_000))[0]?.position).toBe(1);
});

test("a tail has caught up, too, where what it has not read is dropped", async () => {
	const server = await startServer();
	const stream = await open(server);
	await acknowledged(stream, 600);
	const { connection } = stream;
	const send = connection.publish.bind(connection);
	let requests = 0;
	let purged: Promise<void> | undefined;
	// Everything is dropped between the tail's first request for messages and its second.
	connection.publish = (subject, ...more) => {
		const isRequest = subject.startsWith("$JS.API.CONSUMER.MSG.NEXT.");
		if (isRequest && ++requests === 2) {
			purged = stream.purge(Date.now() + 60_000);
			purged.finally(() => send(subject, ...more));
		} else send(subject, ...more);
	};
	const read: string[] = [];
	const tail = await stream.tail("segue.events.>", 0, ({ body }) =>
		read.push(text(body)),
	);
	await tail.caughtUp;
	await purged;
	expect(read).toHaveLength(256);
	await publish(stream, "new");
	await eventually(() => expect(read.at(-1)).toBe("new"));
	await tail.close();
});

test("a broker that comes back empty is given stream and consumer again, and tails go on", async () => {
	const server = await startServer();
	const stream = await open(server);
	const heard: string[] = [];
	await stream.tail("segue.events.>", 0, (message) =>
		heard.push(text(message.body)),
	);
	for (const said of ["a", "b", "c"]) await publish(stream, said);
	await eventually(() => expect(heard).toEqual(["a", "b", "c"]));
	await server.kill();
	await rm(join(server.folder, "jetstream"), { recursive: true, force: true });
	await server.restart();
	await eventually(() => publish(stream, "first of the new stream"));
	await eventually(() => expect(heard).toContain("first of the new stream"));
	const held = await eventually(async () => {
		const pulled = await stream.pull(10, 100);
		expect(pulled.length).toBe(1);
		return pulled;
	});
	expect(held.map((message) => text(message.body))).toEqual([
		"first of the new stream",
	]);
});

test("a stream that someone deletes is made again", async () => {
	const server = await startServer();
	const stream = await open(server);
	await publish(stream, "deleted");
	await deleteStream(server.url);
	await eventually(() => publish(stream, "kept"));
	const held = await eventually(async () => {
		const pulled = await stream.pull(10, 100);
		expect(pulled.length).toBe(1);
		return pulled;
	});
	expect(held.map((message) => text(message.body))).toEqual(["kept"]);
});

test("a frozen broker is noticed, and a publish to it rejects", async () => {
	const server = await startServer();
	const stream = await open(server);
	await server.kill("SIGSTOP");
	await expect(
		stream.publish("segue.events.click", new Uint8Array(1), "frozen", 50),
	).rejects.toThrow();
	await eventually(() => expect(stream.connected).toBe(false));
	await server.kill("SIGCONT");
	await eventually(() => expect(stream.connected).toBe(true));
	await eventually(() => publish(stream, "thawed"));
});

test("a broker that is not there is a sentence without the password", async () => {
	const opening = openJetStream({
		servers: "nats://me:secret@127.0.0.1:1",
		connectTimeoutMs: 300,
	});
	const message = await opening.then(
		() => "opened",
		(error: Error) => error.message,
	);
	expect(message).toContain("nats://127.0.0.1:1");
	expect(message).not.toContain("secret");
});

test("a consumer made with other settings is brought to these", async () => {
	const server = await startServer();
	const earlier = await openJetStream({
		servers: server.url,
		maxAckPending: 4_096,
		ackWaitMs: 9_000,
	});
	await publish(earlier, "kept");
	await earlier.close();
	const stream = await open(server);
	const manager = await jetstreamManager(stream.connection);
	const { config } = await manager.consumers.info("SEGUE", "learners");
	expect(config).toMatchObject({ ack_wait: 1e9, max_ack_pending: 131_072 });
	expect((await stream.pull(10, 1_000)).length).toBe(1);
});

async function acknowledged(stream: JetStream, count: number): Promise<void> {
	const texts = Array.from({ length: count }, (_, index) => `m${index}`);
	await Promise.all(texts.map((said) => publish(stream, said)));
	await eventually(async () => {
		for (const message of await stream.pull(500, 50)) message.acknowledge();
		expect(await stream.backlog()).toBe(0);
	});
}

test("a purge of a stream that holds nothing, or nothing any more, is no error", async () => {
	const server = await startServer();
	const stream = await open(server);
	await stream.purge(Date.now() + 60_000);
	await acknowledged(stream, 3);
	await stream.purge(Date.now() + 60_000);
	await stream.purge(Date.now() + 60_000);
	expect(await stored(stream)).toBe(0);
});

test("learners may purge at the same time, and over holes", async () => {
	const server = await startServer();
	const streams = await Promise.all([open(server), open(server), open(server)]);
	const stream = streams[0] as JetStream;
	await acknowledged(stream, 300);
	const manager = await jetstreamManager(stream.connection);
	await manager.streams.deleteMessage("SEGUE", 150, false);
	await Promise.all(streams.map((one) => one.purge(Date.now() + 60_000)));
	expect(await stored(stream)).toBe(0);
});

test("a deletion is repeated without harm, in the middle as at the end", async () => {
	const server = await startServer();
	const stream = await open(server);
	await acknowledged(stream, 9);
	const manager = await jetstreamManager(stream.connection);
	for (const sequence of [4, 5, 9])
		await manager.streams.deleteMessage("SEGUE", sequence, false);
	await stream.purge(Date.now() + 60_000);
	expect(await stored(stream)).toBe(0);
});

async function stored(stream: JetStream): Promise<number> {
	const manager = await jetstreamManager(stream.connection);
	return (await manager.streams.info("SEGUE")).state.messages;
}
