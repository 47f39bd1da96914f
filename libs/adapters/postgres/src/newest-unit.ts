import type { Database } from "./database.js";

/** The unit of the newest decision in the log, null where there is none. */
export async function newestUnit(database: Database): Promise<string | null> {
	const [row] = await database.query<{ unit: string }>(
		"select d.unit from decisions d order by d.id desc limit 1",
	);
	return row?.unit ?? null;
}
