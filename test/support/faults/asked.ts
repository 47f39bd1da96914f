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
			rows = await askedOnce(databaseUrl, sql);
			return rows.length > 0;
		},
		60_000,
		() => `the database did not answer ${sql}`,
	);
	return rows;
}

/** The same, once; rejects as the database or the way to it does. */
export async function askedOnce<Row extends object>(
	databaseUrl: string,
	sql: string,
): Promise<Row[]> {
	const client = new pg.Client({
		connectionString: databaseUrl,
		connectionTimeoutMillis: 2_000,
	});
	client.on("error", () => undefined);
	try {
		await client.connect();
		return (await client.query(sql)).rows;
	} finally {
		await client.end().catch(() => undefined);
	}
}
