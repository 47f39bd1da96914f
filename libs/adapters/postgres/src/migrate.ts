import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runner } from "node-pg-migrate";
import pg from "pg";

/** Days for which partitions are made ahead. */
const DAYS_AHEAD = 3;
const DAY_MS = 86_400_000;
const PARTITION_LOCK = 7_303;

/**
 * Applies the migrations of `migrations/` and makes the partitions of the coming days.
 * Safe when several processes start together: they wait for each other on an advisory lock.
 */
export async function migrate(connectionString: string): Promise<void> {
	const client = new pg.Client({
		connectionString,
		connectionTimeoutMillis: 10_000,
		options: "-c timezone=UTC",
	});
	// A connection that is lost between two statements is told of by the next one.
	client.on("error", () => {});
	await client.connect();
	try {
		await runner({
			dbClient: client,
			dir: migrationsFolder(),
			direction: "up",
			migrationsTable: "migrations",
			advisoryLockMode: "wait",
			log: () => {},
		});
		await ensurePartitions(
			(text, values) => client.query(text, [...values]),
			Date.now(),
		);
	} finally {
		await client.end();
	}
}

/** Makes the partitions from the horizon's day to three days ahead of `now` (milliseconds); one process at a time. */
export async function ensurePartitions(
	query: (text: string, values: readonly unknown[]) => Promise<unknown>,
	now: number,
): Promise<void> {
	const last = new Date(now + DAYS_AHEAD * DAY_MS).toISOString().slice(0, 10);
	await query(
		`select segue_ensure_partitions(
			(to_timestamp(('x' || substr(replace(i.horizon::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0) at time zone 'utc')::date,
			$1::date
		) from installation i, pg_advisory_xact_lock($2)`,
		[last, PARTITION_LOCK],
	);
}

/** `migrations/` lies beside package.json, above both the sources and `dist`. */
function migrationsFolder(): string {
	let folder = dirname(fileURLToPath(import.meta.url));
	while (!existsSync(join(folder, "package.json"))) {
		const parent = dirname(folder);
		if (parent === folder)
			throw new Error(
				"package.json was not found above the program: reinstall Segue.",
			);
		folder = parent;
	}
	return join(folder, "migrations");
}
