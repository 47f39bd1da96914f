import pg from "pg";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openPostgresStream } from "#adapters/stream";
import type { Stream } from "#usecases/ingesting";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { eventually } from "./eventually.js";
import { type StreamHarness, streamSuite } from "./stream.suite.js";

streamSuite("Postgres", async (): Promise<StreamHarness> => {
	const database = await createTestDatabase({ migrated: true });
	const url = new URL(database.connectionString);
	const name = url.pathname.slice(1);
	url.pathname = "/postgres";
	const admin = new pg.Client({ connectionString: url.href });
	await admin.connect();
	return {
		open: ({ holdMs }) =>
			openPostgresStream({
				connectionString: database.connectionString,
				claimMs: holdMs,
			}),
		reset: () => empty(database),
		kill: async () => {
			await admin.query(`alter database ${name} with allow_connections false`);
			await admin.query(
				"select pg_terminate_backend(pid) from pg_stat_activity where datname = $1",
				[name],
			);
		},
		revive: async () => {
			await admin.query(`alter database ${name} with allow_connections true`);
		},
		stop: async () => {
			await admin.end();
			await database.drop();
		},
	};
});

let database: TestDatabase;
let opened: Stream[] = [];
let sessions: pg.Client[] = [];
beforeAll(async () => {
	database = await createTestDatabase({ migrated: true });
});
afterEach(async () => {
	for (const one of opened) await one.close();
	for (const one of sessions) await one.end();
	opened = [];
	sessions = [];
	await empty(database);
});
afterAll(() => database.drop());

const text = (body: Uint8Array) => new TextDecoder().decode(body);
const publish = (stream: Stream, said: string) =>
	stream.publish(
		"segue.events.click",
		new TextEncoder().encode(said),
		said,
		5_000,
	);

async function open(maxUnacknowledged?: number): Promise<Stream> {
	const stream = await openPostgresStream({
		connectionString: database.connectionString,
		maxUnacknowledged,
	});
	opened.push(stream);
	return stream;
}

async function session(): Promise<pg.Client> {
	const client = new pg.Client({ connectionString: database.connectionString });
	await client.connect();
	sessions.push(client);
	return client;
}

async function empty(which: TestDatabase): Promise<void> {
	const client = new pg.Client({ connectionString: which.connectionString });
	await client.connect();
	await client.query("truncate stream_messages, stream_unacknowledged");
	await client.end();
}

test("a tail delivers a message whose transaction commits long after later ones", async () => {
	const stream = await open();
	const slow = await session();
	await slow.query("begin");
	await slow.query(
		"insert into stream_messages (subject, message_id, body) values ('segue.events.click', 'slow', 'slow')",
	);
	const heard: string[] = [];
	await stream.tail("segue.events.>", 0, (message) =>
		heard.push(text(message.body)),
	);
	for (let index = 0; index < 300; index += 1)
		await publish(stream, `m${index}`);
	await eventually(() => expect(heard.length).toBe(300));
	await slow.query("commit");
	await publish(stream, "last");
	await eventually(() => expect(heard).toContain("last"));
	await eventually(() => expect(heard).toContain("slow"));
	expect(heard.length).toBe(302);
	expect(new Set(heard).size).toBe(302);
});

test("a tail delivers a message that took its position first and its transaction id last", async () => {
	const stream = await open();
	const heard: string[] = [];
	await stream.tail("segue.events.>", 0, (message) =>
		heard.push(text(message.body)),
	);
	const slow = await session();
	const position = await slow.query(
		"select nextval(pg_get_serial_sequence('stream_messages', 'position')) as position",
	);
	await publish(stream, "later position");
	await eventually(() => expect(heard).toEqual(["later position"]));
	await slow.query(
		"insert into stream_messages (position, subject, message_id, body) overriding system value values ($1, 'segue.events.click', 'early', 'early position')",
		[position.rows[0].position],
	);
	await eventually(() =>
		expect(heard).toEqual(["later position", "early position"]),
	);
});

test("beyond its bound the stream refuses, and takes again once a learner has acknowledged", async () => {
	const stream = await open(3);
	for (const said of ["a", "b", "c"]) await publish(stream, said);
	await expect(publish(stream, "d")).rejects.toThrow(
		/3 messages that no learner has acknowledged/,
	);
	const held = await stream.pull(10, 1_000);
	expect(held.map((message) => text(message.body))).toEqual(["a", "b", "c"]);
	held[0]?.acknowledge();
	await eventually(() => publish(stream, "d"));
});

test("a publish that waits for a lock rejects in time, and a repeat under its id stores it once", async () => {
	const stream = await open();
	const blocker = await session();
	await blocker.query("begin");
	await blocker.query("lock table stream_messages in access exclusive mode");
	await expect(
		stream.publish(
			"segue.events.click",
			new TextEncoder().encode("late"),
			"late",
			100,
		),
	).rejects.toThrow();
	await blocker.query("commit");
	await eventually(() => publish(stream, "late"));
	expect(await stream.backlog()).toBe(1);
});

test("a published message is synced before the publish resolves, whatever the server's default", async () => {
	const own = await createTestDatabase({ migrated: true });
	const admin = new pg.Client({ connectionString: own.connectionString });
	await admin.connect();
	await admin.query(`
		alter database ${new URL(own.connectionString).pathname.slice(1)} set synchronous_commit = off;
		create table commits (setting text);
		create function note_commit() returns trigger language plpgsql as $$
			begin insert into commits values (current_setting('synchronous_commit')); return new; end $$;
		create trigger note after insert on stream_messages for each row execute function note_commit()`);
	const stream = await openPostgresStream({
		connectionString: own.connectionString,
	});
	await publish(stream, "synced");
	expect((await admin.query("select setting from commits")).rows).toEqual([
		{ setting: "on" },
	]);
	await stream.close();
	await admin.end();
	await own.drop();
});

test("without its migration the stream says which one is missing", async () => {
	const bare = await createTestDatabase();
	await expect(
		openPostgresStream({ connectionString: bare.connectionString }),
	).rejects.toThrow(/0002_stream/);
	await bare.drop();
});
