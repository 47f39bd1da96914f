import { once } from "node:events";
import { createServer, connect as dial, type Socket } from "node:net";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
	createTestDatabase,
	type TestDatabase,
} from "../../../../test/support/database.js";
import { Database, isTransient } from "./index.js";

let empty: TestDatabase;
beforeAll(async () => {
	empty = await createTestDatabase();
});
afterAll(() => empty.drop());

/** A way to the database that can stop letting bytes through while its connections stay open. */
async function freezable() {
	const to = new URL(empty.connectionString);
	const sockets = new Set<Socket>();
	let frozen = false;
	const server = createServer((inward) => {
		const outward = dial({ host: to.hostname, port: Number(to.port) });
		for (const [from, into] of [
			[inward, outward],
			[outward, inward],
		] as const) {
			sockets.add(from);
			from.on("data", (bytes) => {
				if (!frozen) into.write(bytes);
			});
			from.on("error", () => into.destroy());
			from.on("close", () => into.destroy());
		}
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const address = server.address();
	const through = new URL(to);
	if (address !== null && typeof address === "object")
		through.host = `127.0.0.1:${address.port}`;
	const database = new Database({
		connectionString: through.href,
		applicationName: "database test",
		most: 1,
		statementTimeoutMs: 500,
	});
	return {
		database,
		freeze: () => {
			frozen = true;
		},
		thaw: () => {
			frozen = false;
		},
		close: async () => {
			for (const socket of sockets) socket.destroy();
			await database.close();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

describe("a database that is frozen", () => {
	it("is said not to answer, without waiting for it, and to answer once it does", async () => {
		const { database, freeze, thaw, close } = await freezable();
		expect(await database.answers()).toBe(true);
		freeze();
		const ended: string[] = [];
		const query = database.query("select 1").catch(() => ended.push("query"));
		expect(await database.answers(1)).toBe(false);
		expect(ended).toEqual([]);
		thaw();
		await query;
		while (!(await database.answers(1_000)));
		await close();
	});

	it("ends a query as an error that passes, and its connection is replaced", async () => {
		const { database, freeze, thaw, close } = await freezable();
		await database.query("select 1");
		freeze();
		const error = await database.query("select 2").catch((e: unknown) => e);
		expect(error).toBeInstanceOf(Error);
		expect(isTransient(error)).toBe(true);
		thaw();
		expect(await database.query("select 3 as three")).toEqual([{ three: 3 }]);
		await close();
	});

	it("ends a transaction in the same way, and its connection is replaced", async () => {
		const { database, freeze, thaw, close } = await freezable();
		const error = await database
			.transaction(async (client) => {
				await client.query("select 1");
				freeze();
				await client.query("select 2");
			})
			.catch((e: unknown) => e);
		expect(isTransient(error)).toBe(true);
		thaw();
		expect(await database.query("select 3 as three")).toEqual([{ three: 3 }]);
		await close();
	});
});

describe("a transaction whose connection is lost", () => {
	it("ends as an error that passes, lost while something was asked or while nothing was, and the process lives on", async () => {
		const database = new Database({
			connectionString: empty.connectionString,
			applicationName: "database test",
		});
		const backend = async (client: pg.ClientBase) =>
			(await client.query("select pg_backend_pid() as pid")).rows[0].pid;
		const askedFor = await database
			.transaction(async (client) => {
				await client.query("select pg_terminate_backend($1)", [
					await backend(client),
				]);
			})
			.catch((e: unknown) => e);
		const idle = await database
			.transaction(async (client) => {
				const lost = once(client, "error");
				await database.query("select pg_terminate_backend($1)", [
					await backend(client),
				]);
				await lost;
				await client.query("select 1");
			})
			.catch((e: unknown) => e);
		for (const error of [askedFor, idle]) {
			expect(error).toBeInstanceOf(Error);
			expect(isTransient(error)).toBe(true);
		}
		expect(await database.query("select 3 as three")).toEqual([{ three: 3 }]);
		await database.close();
	});
});

describe("a connection to spare", () => {
	const set = "set work_mem = '100kB'";
	const pidOf = async (client: pg.ClientBase) =>
		(await client.query("select pg_backend_pid() as pid")).rows[0].pid;
	const of = (most: number) =>
		new Database({
			connectionString: empty.connectionString,
			applicationName: "database test",
			most,
		});

	it("is another than the transaction's, lent with settings of its own to one at a time, and to none where one would have to be waited for", async () => {
		const database = of(4);
		await database.withSpare(set, (spare) =>
			database.transaction(async (client) => {
				expect(spare).not.toBeNull();
				expect(await pidOf(spare as pg.PoolClient)).not.toBe(
					await pidOf(client),
				);
				await database.withSpare(set, async (second) =>
					expect(second).toBeNull(),
				);
			}),
		);
		await database.withSpare(set, async (again) => {
			const { rows } = await (again as pg.PoolClient).query("show work_mem");
			expect(rows).toEqual([{ work_mem: "100kB" }]);
		});
		for (const { work_mem } of await Promise.all(
			Array.from({ length: 4 }, () => database.query("show work_mem")),
		).then((all) => all.flat()))
			expect(work_mem).not.toBe("100kB");
		await database.close();
		const single = of(1);
		await single.withSpare(set, async (spare) => expect(spare).toBeNull());
		await single.close();
		const busy = of(2);
		await busy.transaction(async (client) => {
			await pidOf(client);
			await busy.withSpare(set, async (spare) => expect(spare).toBeNull());
		});
		await busy.close();
	});

	it("is closed where the work with it failed, since it may be in the midst of anything", async () => {
		const database = of(2);
		let failed = 0;
		const failing = database.withSpare(set, async (spare) => {
			await spare?.query("begin");
			failed = await pidOf(spare as pg.PoolClient);
			throw new Error("not this one");
		});
		await expect(failing).rejects.toThrow("not this one");
		await database.withSpare(set, async (spare) =>
			expect(await pidOf(spare as pg.PoolClient)).not.toBe(failed),
		);
		await database.close();
	});
});
