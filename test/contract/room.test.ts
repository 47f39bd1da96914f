import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Database, PostgresStreamMarks } from "#adapters/postgres";
import { type JetStream, openJetStream } from "#adapters/stream";
import { MakeRoom, type StreamCuts } from "#usecases/retaining";
import { createTestDatabase } from "../support/database.js";
import { startNats } from "../support/nats-server.js";
import { eventually } from "./eventually.js";

const BOUND = 65_536;
/** Forty are less than three quarters of the stream, fifty are more. */
const BODY = new Uint8Array(1_024);

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

let stream: JetStream;
let manager: JetStreamManager;
let marks: PostgresStreamMarks;
let readSince: () => Promise<number | null>;
beforeEach(async () => {
	const nats = await startNats();
	cleanups.push(() => nats.stop());
	stream = await openJetStream({ servers: nats.url, maxBytes: BOUND });
	cleanups.push(() => stream.close());
	manager = await jetstreamManager(stream.connection);
	const test = await createTestDatabase({ migrated: true });
	cleanups.push(() => test.drop());
	const database = new Database({
		connectionString: test.connectionString,
		applicationName: "test",
	});
	cleanups.push(() => database.close());
	marks = new PostgresStreamMarks(database);
	readSince = async () => {
		const [row] = await database.query<{ since: Date | null }>(
			"select i.stream_whole_since as since from installation i",
		);
		return row?.since?.getTime() ?? null;
	};
});

/** Not two in one millisecond: by that they are told apart. */
async function publish(count: number): Promise<void> {
	for (let i = 0; i < count; i++) {
		await eventually(() =>
			stream.publish("segue.events.click", BODY, randomUUID(), 2_000),
		);
		await pause(2);
	}
}
async function learn(count: number): Promise<void> {
	const before = await stream.backlog();
	for (const message of await stream.pull(count, 1_000)) message.acknowledge();
	await eventually(async () =>
		expect(await stream.backlog()).toBe(before - count),
	);
}
const state = async () => (await manager.streams.info("SEGUE")).state;
const filled = async () => (await state()).bytes / BOUND;

/** Runs once; returns what it said it cut. */
async function makeRoom(cuts: StreamCuts = marks): Promise<number[]> {
	const said: number[] = [];
	await new MakeRoom(stream, cuts).execute(
		(before) => said.push(before),
		new AbortController().signal,
	);
	return said;
}

test("a stream three quarters full of what is learned is half free afterwards, also over holes; what nobody learned stays", async () => {
	await publish(40);
	await learn(40);
	expect(await makeRoom(), "there is room").toEqual([]);

	await publish(12);
	// Where it looks for the time of the last that is to go, there are erased ones.
	for (let sequence = 10; sequence <= 20; sequence++)
		await manager.streams.deleteMessage("SEGUE", sequence, false);
	await publish(9);
	expect(await filled()).toBeGreaterThan(0.75);
	expect(await makeRoom()).toHaveLength(1);
	// The holes are counted as messages.
	expect(await filled()).toBeLessThan(0.7);
	expect(await filled()).toBeGreaterThan(0.45);

	await publish(12);
	const unlearned = 12 + 9 + 12;
	expect(await filled()).toBeGreaterThan(0.75);
	await makeRoom();
	expect(await makeRoom(), "there is nothing more").toEqual([]);
	expect(await stream.backlog()).toBe(unlearned);
	expect((await state()).messages).toBe(unlearned);
});

test("where little is learned nothing is cut: what is needed is learners", async () => {
	await publish(50);
	await learn(2);
	expect(await filled()).toBeGreaterThan(0.75);
	expect(await makeRoom()).toEqual([]);
	await learn(10);
	expect(await makeRoom()).toHaveLength(1);
	expect((await state()).first_seq).toBe(13);
});

test("before the first message goes it is noted from when on the stream is whole, not less than the time of the last that goes", async () => {
	await publish(50);
	await learn(50);
	const times: number[] = [];
	for (let sequence = 1; sequence <= 50; sequence++) {
		const one = await manager.streams.getMessage("SEGUE", { seq: sequence });
		times.push(one?.time.getTime() as number);
	}
	const before: unknown[] = [];
	const [said] = await makeRoom({
		cutAlone: (work) =>
			marks.cutAlone((cut) =>
				work(async (at) => {
					before.push((await state()).first_seq, await readSince());
					await cut(at);
				}),
			),
	});
	expect(before, "nothing went before").toEqual([1, null]);
	const since = await readSince();
	expect(since).toBe(said);
	const { first_seq } = await state();
	expect(await filled()).toBeLessThanOrEqual(0.5);
	expect(await filled()).toBeGreaterThan(0.4);
	expect(times[first_seq - 2], "the last that went").toBeLessThan(
		since as number,
	);
	expect(times[first_seq - 1], "the first that is left").toBeGreaterThanOrEqual(
		since as number,
	);
});

test("nothing goes where that cannot be noted", async () => {
	await publish(50);
	await learn(50);
	const failing: StreamCuts = {
		cutAlone: (work) =>
			marks.cutAlone(() =>
				work(async () => {
					throw new Error("The database went away.");
				}),
			),
	};
	await expect(makeRoom(failing)).rejects.toThrow("went away");
	expect((await state()).messages).toBe(50);
});

test("of several learners one makes room", async () => {
	await publish(50);
	await learn(50);
	const said = await Promise.all(Array.from({ length: 4 }, () => makeRoom()));
	expect(said.flat()).toHaveLength(1);
	expect((await state()).messages).toBeGreaterThan(20);
});

test("a learner that is to stop leaves the rest to others", async () => {
	await publish(50);
	await learn(50);
	const stopping = new AbortController();
	await new MakeRoom(stream, marks).execute(
		() => stopping.abort(),
		stopping.signal,
	);
	expect((await state()).messages).toBe(50);
	expect(await makeRoom()).toHaveLength(1);
});
