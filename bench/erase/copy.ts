import pg from "pg";

/** A copy of the database under another name in the same server; nobody may be connected to it. */
export async function copyDatabase(
	connectionString: string,
	copy: string,
): Promise<void> {
	const source = new URL(connectionString).pathname.slice(1);
	const client = new pg.Client({
		connectionString: withDatabase(connectionString, "postgres"),
	});
	await client.connect();
	await client.query(`create database ${copy} template ${source}`);
	await client.end();
}

/** As a database that has been running for a while: statistics and visibility are known, and nothing waits to be written. */
export async function settle(connectionString: string): Promise<void> {
	const client = new pg.Client({ connectionString });
	await client.connect();
	await client.query("vacuum analyze");
	await client.query("checkpoint");
	await client.end();
}

export function withDatabase(connectionString: string, name: string): string {
	const url = new URL(connectionString);
	url.pathname = `/${name}`;
	return url.href;
}
