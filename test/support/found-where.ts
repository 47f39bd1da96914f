import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type pg from "pg";

/** Tables whose rows hold the text, in a column of text, JSON or bytes. */
export async function tablesWith(
	client: pg.Client,
	text: string,
): Promise<string[]> {
	const { rows } = await client.query<{ name: string }>(
		"select t.table_name as name from information_schema.tables t where t.table_schema = 'public' and t.table_type = 'BASE TABLE' order by 1",
	);
	const bytes = Buffer.from(text).toString("hex");
	const found: string[] = [];
	for (const { name } of rows) {
		const { rowCount } = await client.query(
			`select 1 from "${name}" t where strpos(to_jsonb(t)::text, $1) > 0 or strpos(to_jsonb(t)::text, $2) > 0 limit 1`,
			[text, bytes],
		);
		if (rowCount !== 0) found.push(name);
	}
	return found;
}

/** Files under the folder whose bytes hold the text. */
export async function filesWith(
	folder: string,
	text: string,
): Promise<string[]> {
	const files = await readdir(folder, {
		recursive: true,
		withFileTypes: true,
	});
	const found: string[] = [];
	for (const file of files) {
		const path = join(file.parentPath, file.name);
		if (file.isFile() && (await readFile(path)).includes(text))
			found.push(path);
	}
	return found;
}
