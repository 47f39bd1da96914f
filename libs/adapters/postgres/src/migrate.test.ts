import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runner } from "node-pg-migrate";
import pg from "pg";
import { expect, test } from "vitest";
import { createTestDatabase } from "../../../../test/support/database.js";
import { migrate } from "./migrate.js";

test("several processes that start together on an empty database migrate it once and all go on", async () => {
	const database = await createTestDatabase();
	try {
		await Promise.all(
			Array.from({ length: 6 }, () => migrate(database.connectionString)),
		);
		const client = new pg.Client(database.connectionString);
		await client.connect();
		const { rows } = await client.query(
			"select (select count(*)::int from installation) as installations, count(*)::int as applied, count(distinct name)::int as names from migrations",
		);
		await client.end();
		expect(rows[0].installations).toBe(1);
		expect(rows[0].applied).toBe(rows[0].names);
	} finally {
		await database.drop();
	}
});

test("rows from before analyses were counted get theirs: one more with each start of a draft or of what was stopped", async () => {
	const database = await createTestDatabase();
	const client = new pg.Client(database.connectionString);
	try {
		await client.connect();
		const dir = fileURLToPath(
			new URL("../../../../migrations", import.meta.url),
		);
		const before = readdirSync(dir).filter((name) => name < "0018");
		await runner({
			dbClient: client,
			dir,
			direction: "up",
			count: before.length,
			migrationsTable: "migrations",
			log: () => {},
		});
		for (const [experiment, action, state] of [
			["a", "create", "draft"],
			["b", "create", "draft"],
			["a", "start", "running"],
			["b", "start", "running"],
			["a", "pause", "paused"],
			["a", "start", "running"],
			["a", "stop", "stopped"],
			["a", "edit", "stopped"],
			["a", "start", "running"],
			["b", "edit", "running"],
		])
			await client.query(
				`insert into experiment_definitions (experiment, version, state, run, epoch, bucket_ms, definition, action, actor, why)
				values ($1, 1, $2, 1, 1, 86400000, '{}', $3, 'ada', '')`,
				[experiment, state, action],
			);
		await migrate(database.connectionString);
		const { rows } = await client.query(
			"select d.experiment || d.analysis as had, d.held from experiment_definitions d order by d.experiment, d.id",
		);
		expect(rows.map(({ had }) => had).join(" ")).toBe(
			"a0 a1 a1 a1 a1 a1 a2 b0 b1 b1",
		);
		expect(rows.some(({ held }) => held)).toBe(false);
	} finally {
		await client.end();
		await database.drop();
	}
});
