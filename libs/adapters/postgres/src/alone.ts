import pg from "pg";
import { connectionConfig, type DatabaseOptions } from "./database.js";

const END_MS = 1_000;

/** Class and number of an advisory lock. */
export type AdvisoryLock = readonly [number, number];

/** Runs the work unless it runs elsewhere already; then null. The lock belongs to a session of its own, so that a crash frees it. */
export async function alone<T>(
	options: DatabaseOptions,
	lock: AdvisoryLock,
	work: (session: pg.ClientBase) => Promise<T>,
): Promise<T | null> {
	const session = new pg.Client(connectionConfig(options));
	session.on("error", () => {});
	await session.connect();
	try {
		const { rows } = await session.query<{ taken: boolean }>(
			"select pg_try_advisory_lock($1, $2) as taken",
			[...lock],
		);
		return rows[0]?.taken ? await work(session) : null;
	} finally {
		await ended(session);
	}
}

/** A server that stands still does not say goodbye. */
async function ended(session: pg.Client): Promise<void> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<void>((resolve) => {
		timer = setTimeout(resolve, END_MS);
	});
	await Promise.race([session.end(), late]);
	clearTimeout(timer);
}
