import type { Database } from "#adapters/postgres";

/** What of the pattern stands anywhere in the database: in any column of any table, bytes included; with the tables that hold it. */
export async function unitsHeld(
	database: Pick<Database, "query">,
	pattern: RegExp,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
	const tables = await database.query<{ name: string }>(
		`select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = 'public' and c.relkind = 'r' order by 1`,
	);
	const held = new Map<string, Set<string>>();
	for (const { name } of tables)
		for (const { row } of await database.query<{ row: string }>(
			`select t::text as row from ${name} t`,
		))
			for (const [found] of readable(row).matchAll(pattern)) {
				const where = held.get(found) ?? new Set();
				held.set(found, where.add(name));
			}
	return held;
}

/** A row as text, and its bytes, which stand there in hex, as text too. */
function readable(row: string): string {
	const bytes = row.match(/\\x[0-9a-f]+/g) ?? [];
	return [
		row,
		...bytes.map((hex) => Buffer.from(hex.slice(2), "hex").toString("latin1")),
	].join("\n");
}
