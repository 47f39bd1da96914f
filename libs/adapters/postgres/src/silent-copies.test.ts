import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../../../test/contract/eventually.js";
import {
	createTestDatabase,
	type TestDatabase,
} from "../../../../test/support/database.js";
import { GATE } from "./advisory-locks.js";
import { binaryRows } from "./binary-copy.js";
import { Database, SilentCopies } from "./index.js";

interface Connection {
	sendCopyFromChunk(bytes: Buffer): void;
	endCopyFrom(): void;
}

/** A copy that sends what it is told to, when it is told to. */
class SlowCopy extends pg.Query {
	readonly ended: Promise<Error | null>;
	#begun: (connection: Connection) => void = () => {};
	readonly connection = new Promise<Connection>((resolve) => {
		this.#begun = resolve;
	});

	constructor() {
		let done: (error: Error | null) => void = () => {};
		super("copy copied (words) from stdin with (format binary)", (error) =>
			done(error ?? null),
		);
		this.ended = new Promise((resolve) => {
			done = resolve;
		});
	}

	handleCopyInResponse(connection: Connection): void {
		this.#begun(connection);
	}
}

const rows = binaryRows(
	[["words", (to, words: string) => to.text(words)]],
	Array.from({ length: 10 }, () => "w".repeat(60_000)),
);

let own: TestDatabase;
let database: Database;
beforeAll(async () => {
	own = await createTestDatabase();
	database = new Database({
		connectionString: own.connectionString,
		applicationName: "looks",
	});
	await database.query("create table copied (words text)");
});
afterAll(async () => {
	await database.close();
	await own.drop();
});

/** A copy under way behind the gate, or beside it. */
async function copying(behindGate: boolean) {
	const client = new pg.Client({ connectionString: own.connectionString });
	client.on("error", () => {});
	await client.connect();
	await client.query("begin");
	if (behindGate)
		await client.query("select pg_advisory_xact_lock_shared($1, 1)", [GATE]);
	const copy = client.query(new SlowCopy());
	const connection = await copy.connection;
	let sent = 0;
	return {
		ended: copy.ended,
		/** Sends so much more, and waits until the server has it. */
		send: async (bytes: number) => {
			connection.sendCopyFromChunk(rows.subarray(sent, sent + bytes));
			sent += bytes;
			await eventually(async () => {
				const [row] = await database.query<{ bytes: number }>(
					"select p.bytes_processed as bytes from pg_stat_progress_copy p where p.relid = 'copied'::regclass",
				);
				expect(row?.bytes).toBe(sent);
			});
		},
		finish: async () => {
			connection.sendCopyFromChunk(rows.subarray(sent));
			connection.endCopyFrom();
			const error = await copy.ended;
			await client.end();
			return error;
		},
	};
}

describe("a copy behind the gate", () => {
	it("that comes no further for two seconds is ended, and the gate is free", async () => {
		let now = 0;
		const copies = new SilentCopies(database, () => now);
		const copy = await copying(true);
		await copy.send(65_536);
		for (now of [0, 500, 1_999]) await copies.end();
		expect(await free()).toBe(false);
		now = 2_000;
		await copies.end();
		expect(await copy.ended).toMatchObject({ code: "57P01" });
		// A session says its last words before it lets go of its locks.
		await eventually(async () => expect(await free()).toBe(true));
	});

	it("that goes on, however slowly, is left alone", async () => {
		let now = 0;
		const copies = new SilentCopies(database, () => now);
		const copy = await copying(true);
		for (let part = 0; part < 4; part++) {
			await copy.send(65_536);
			for (let look = 0; look < 4; look++, now += 600) await copies.end();
		}
		expect(await copy.finish()).toBeNull();
	});

	it("is what is looked for: one beside it may take its time", async () => {
		let now = 0;
		const copies = new SilentCopies(database, () => now);
		const copy = await copying(false);
		for (; now < 10_000; now += 500) await copies.end();
		expect(await copy.finish()).toBeNull();
	});
});

async function free(): Promise<boolean> {
	const [row] = await database.query<{ mine: boolean }>(
		"select pg_try_advisory_xact_lock($1, 1) as mine",
		[GATE],
	);
	return row?.mine === true;
}
