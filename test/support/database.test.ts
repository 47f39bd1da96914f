import pg from "pg";
import { expect, inject, it } from "vitest";
import { createTestDatabase } from "./database.js";

async function ask(connectionString: string, text: string): Promise<unknown[]> {
	const client = new pg.Client({ connectionString });
	await client.connect();
	try {
		return (await client.query(text)).rows;
	} finally {
		await client.end();
	}
}

it("gives each test a database of its own and removes it", async () => {
	const [one, other] = await Promise.all([
		createTestDatabase(),
		createTestDatabase(),
	]);
	await ask(one.connectionString, "create table mine ()");
	const tables =
		"select tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')";
	expect(await ask(one.connectionString, tables)).toEqual([
		{ tablename: "mine" },
	]);
	expect(await ask(other.connectionString, tables)).toEqual([]);
	await Promise.all([one.drop(), other.drop()]);
	const name = new URL(one.connectionString).pathname.slice(1);
	expect(
		await ask(
			inject("postgres"),
			`select 1 from pg_database where datname = '${name}'`,
		),
	).toEqual([]);
});

it("gives several at once with all migrations applied", async () => {
	const databases = await Promise.all(
		[1, 2, 3].map(() => createTestDatabase({ migrated: true })),
	);
	for (const { connectionString } of databases)
		expect(
			await ask(
				connectionString,
				"select to_regclass('experiments') is not null as there",
			),
		).toEqual([{ there: true }]);
	await Promise.all(databases.map((database) => database.drop()));
});
