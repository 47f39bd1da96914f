import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Learn } from "#usecases/learning";
import { eventually } from "../../../../test/contract/eventually.js";
import {
	createTestDatabase,
	type TestDatabase,
} from "../../../../test/support/database.js";
import {
	Database,
	isRefusal,
	isTransient,
	PostgresLearningLedger,
} from "./index.js";
import { LearnerSession } from "./learner-session.js";

let own: TestDatabase;
let admin: pg.Client;
let open: { close(): Promise<void> }[] = [];
beforeAll(async () => {
	own = await createTestDatabase({ migrated: true });
	admin = new pg.Client({ connectionString: own.connectionString });
	await admin.connect();
	const name = new URL(own.connectionString).pathname.slice(1);
	await admin.query(`alter database ${name} set synchronous_commit = off`);
});
afterEach(async () => {
	for (const one of open.reverse()) await one.close();
	open = [];
});
afterAll(async () => {
	await admin.end();
	await own.drop();
});

const options = (name: string) => ({
	connectionString: own.connectionString,
	applicationName: name,
});

function session(name: string): LearnerSession {
	const one = new LearnerSession(options(name));
	open.push(one);
	return one;
}

const expected = {
	idle_in_transaction_session_timeout: "5s",
	lock_timeout: "10s",
	statement_timeout: "30s",
	tcp_keepalives_idle: "5",
	tcp_keepalives_interval: "2",
	tcp_keepalives_count: "3",
	// Only Linux has it.
	tcp_user_timeout: process.platform === "linux" ? "11000" : "0",
	// Nothing may be acknowledged that the server has not synced.
	synchronous_commit: "on",
	TimeZone: "UTC",
};

async function shown(
	query: (text: string) => Promise<{ [name: string]: string }[]>,
) {
	const settings: { [name: string]: string } = {};
	for (const name of Object.keys(expected))
		settings[name] = Object.values(
			(await query(`show ${name}`))[0] ?? {},
		)[0] as string;
	return settings;
}

describe("a session with the database", () => {
	it("of a learner ends itself rather than hold others, and is missed soon when its peer is gone", async () => {
		const client = await session("shown").client();
		expect(
			await shown(async (text) => (await client.query(text)).rows),
		).toEqual(expected);
	});

	it("of a pool does too", async () => {
		const database = new Database(options("shown too"));
		open.push(database);
		expect(await shown((text) => database.query(text))).toEqual(expected);
	});

	it("of a learner that stands still inside its transaction lets go of gate and slot after five seconds, and the next batch has a new one", async () => {
		const stopped = session("stopped");
		const client = await stopped.client();
		const slot = stopped.shard;
		await client.query("begin; select pg_advisory_xact_lock_shared(7301, 1)");
		const locked = () =>
			admin.query("select pg_try_advisory_xact_lock(7301, 1) as mine");
		expect((await locked()).rows).toEqual([{ mine: false }]);
		await eventually(async () =>
			expect((await locked()).rows).toEqual([{ mine: true }]),
		);
		await eventually(async () =>
			expect(await stopped.client()).not.toBe(client),
		);
		expect(stopped.shard).toBe(slot);
	});
});

describe("a batch", () => {
	const poison = (position: number) => [
		{
			subject: "segue.events.play",
			body: new TextEncoder().encode("{nonsense"),
			storedAt: Date.now(),
			position,
		},
	];

	function learner(name: string): Learn {
		const ledger = new PostgresLearningLedger({
			...options(name),
			definitions: async () => [],
		});
		open.push(ledger);
		return new Learn(ledger, isRefusal);
	}

	const failure = (learn: Learn, position: number) =>
		learn.execute(poison(position)).then(
			() => null,
			(error: unknown) => error,
		);

	it("that met a standby after a failover is tried again over a connection of its own", async () => {
		const name = new URL(own.connectionString).pathname.slice(1);
		await admin.query(
			`alter database ${name} set default_transaction_read_only = on`,
		);
		const learn = learner("failed over");
		const error = await failure(learn, 1);
		expect(error).toMatchObject({ code: "25006" });
		expect(isTransient(error)).toBe(true);
		await admin.query("set default_transaction_read_only = off");
		await admin.query(
			`alter database ${name} reset default_transaction_read_only`,
		);
		expect(await failure(learn, 1)).toBeNull();
	});

	it("whose connection the administrator ended is done by the next try", async () => {
		const learn = learner("ended");
		expect(await failure(learn, 2)).toBeNull();
		await admin.query(
			"select pg_terminate_backend(a.pid) from pg_stat_activity a where a.application_name = $1",
			["ended"],
		);
		await eventually(async () => expect(await failure(learn, 3)).toBeNull());
		const { rows } = await admin.query(
			"select count(*)::int as n from dead_letters l where l.position in (2, 3)",
		);
		expect(rows).toEqual([{ n: 2 }]);
	});
});
