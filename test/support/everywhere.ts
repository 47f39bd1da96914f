import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type pg from "pg";

/** Everything that is in the database, a text a table; bytes as text, besides in hexadecimal. */
export async function allTables(
	client: pg.Client,
): Promise<ReadonlyMap<string, string>> {
	const { rows } = await client.query<{ name: string }>(
		"select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relkind in ('r', 'p', 'm')",
	);
	const tables = new Map<string, string>();
	for (const { name } of rows) {
		const { rows: all } = await client.query<{ text: string }>(
			`select to_jsonb(t)::text as text from "${name}" t`,
		);
		const text = all.map((row) => row.text).join("\n");
		const bytes = [...text.matchAll(/\\\\x([0-9a-f]+)/g)].map(([, hex]) =>
			Buffer.from(hex as string, "hex").toString("latin1"),
		);
		tables.set(name, [text, ...bytes].join("\n"));
	}
	return tables;
}

/** Every file below a folder, by its path. */
export async function allFiles(
	folder: string,
): Promise<ReadonlyMap<string, string>> {
	const files = new Map<string, string>();
	const found = await readdir(folder, {
		recursive: true,
		withFileTypes: true,
	});
	for (const file of found)
		if (file.isFile()) {
			const path = join(file.parentPath, file.name);
			files.set(path, (await readFile(path)).toString("latin1"));
		}
	return files;
}
