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
