import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createTestDatabase } from "../../../../test/support/database.js";
import { Database, migrate, PostgresErasure } from "./index.js";

const PATIENCE_MS = 20_000;
const UNIT = "known-to-two-installations";

/** What an installation that was migrated for itself keeps of the erased unit. */
async function tombstoneOfItsOwn(): Promise<{ hash: string; row: string }> {
	const { connectionString, drop } = await createTestDatabase();
	await migrate(connectionString);
	const database = new Database({ connectionString, applicationName: "test" });
	await new PostgresErasure(database).erase([UNIT], PATIENCE_MS);
	const rows = await database.query<{ hash: string; row: string }>(
		"select encode(t.unit_key, 'hex') as hash, t::text as row from tombstones t",
	);
	expect(await new PostgresErasure(database).erasedAt(UNIT)).not.toBeNull();
	await database.close();
	await drop();
	expect(rows).toHaveLength(1);
	return rows[0] as { hash: string; row: string };
}

test("a tombstone holds a hash that only the installation's own key gives: not the name's, nor another installation's", async () => {
	const one = await tombstoneOfItsOwn();
	const another = await tombstoneOfItsOwn();
	for (const { row } of [one, another]) {
		for (const digest of ["sha256", "sha512", "sha1", "md5"])
			expect(row).not.toContain(
				createHash(digest).update(UNIT).digest("hex").slice(0, 16),
			);
		expect(row).not.toContain(Buffer.from(UNIT).toString("hex"));
		expect(row).not.toContain(UNIT);
	}
	expect(one.hash).toMatch(/^[0-9a-f]{32,}$/);
	expect(another.hash).toHaveLength(one.hash.length);
	expect(another.hash).not.toBe(one.hash);
});
