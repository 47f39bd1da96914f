import pg from "pg";
import { waitFor } from "../segue.js";

/** One question to the database by a connection of its own, asked until it answers with a row. */
export async function asked<Row extends object>(
	databaseUrl: string,
	sql: string,
): Promise<Row[]> {
	let rows: Row[] = [];
	await waitFor(
		async () => {
			const client = new pg.Client({
				connectionString: databaseUrl,
				connectionTimeoutMillis: 2_000,
			});
			client.on("error", () => undefined);
			try {
				await client.connect();
				({ rows } = await client.query(sql));
				return rows.length > 0;
			} finally {
				await client.end().catch(() => undefined);
			}
		},
		60_000,
		() => `the database did not answer ${sql}`,
	);
	return rows;
}
