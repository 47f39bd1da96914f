import { randomUUID } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";

export interface TestDatabase {
	readonly connectionString: string;
	/** Ends what is still connected and removes it. */
	drop(): Promise<void>;
}

const MIGRATED = "segue_migrated";
const TEMPLATE_LOCK = 4_711;

/** A database of the test's own in the run's PostgreSQL: empty, or with all migrations applied. */
export async function createTestDatabase(
	options: { readonly migrated?: boolean } = {},
): Promise<TestDatabase> {
	if (options.migrated) await ensureMigratedTemplate();
	const name = `test_${randomUUID().replaceAll("-", "")}`;
	await asAdmin((client) =>
		client.query(
			`create database ${name} template ${options.migrated ? MIGRATED : "template0"}`,
		),
	);
	return {
		connectionString: connectionTo(name),
		drop: () =>
			asAdmin(async (client) => {
				await client.query(`drop database if exists ${name} with (force)`);
			}),
	};
}

/** Made by whoever comes first in the run; the others wait on the lock. */
async function ensureMigratedTemplate(): Promise<void> {
	await asAdmin(async (client) => {
		await client.query("select pg_advisory_lock($1)", [TEMPLATE_LOCK]);
		const known = await client.query(
			"select 1 from pg_database where datname = $1",
			[MIGRATED],
		);
		if (known.rowCount !== 0) return;
		const making = `${MIGRATED}_making`;
		await client.query(`drop database if exists ${making} with (force)`);
		await client.query(`create database ${making} template template0`);
		const { migrate } = await import("#adapters/postgres");
		await migrate(connectionTo(making));
		await client.query(`alter database ${making} rename to ${MIGRATED}`);
	});
}

async function asAdmin<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
	const client = new pg.Client({ connectionString: inject("postgres") });
	await client.connect();
	try {
		return await work(client);
	} finally {
		await client.end();
	}
}

function connectionTo(name: string): string {
	const url = new URL(inject("postgres"));
	url.pathname = `/${name}`;
	return url.href;
}
