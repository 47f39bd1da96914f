import { readFile } from "node:fs/promises";
import type { Database } from "#adapters/postgres";

/** Of this process and of the sessions of its database, milliseconds so far. */
export async function processorMs(database: Database): Promise<number | null> {
	const sessions = await database.query<{ pid: number }>(
		"select a.pid from pg_stat_activity a where a.datname = current_database() and a.backend_type = 'client backend'",
	);
	const { user, system } = process.cpuUsage();
	let sum = (user + system) / 1_000;
	for (const { pid } of sessions) {
		const text = await readFile(`/proc/${pid}/schedstat`, "utf8").catch(
			() => null,
		);
		if (text === null) return null;
		sum += Number(text.split(" ", 1)[0]) / 1e6;
	}
	return sum;
}

export function difference(before: number | null, after: number | null) {
	return before === null || after === null ? null : after - before;
}
