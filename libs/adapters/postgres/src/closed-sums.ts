import type { StoredBucket } from "#usecases/learning";
import type { Database } from "./database.js";
import { fromDoubleBytes } from "./decision-record.js";

/** The shard of days that are folded away: one row per experiment, version, arm, bucket and chunk, whatever learners had. 16 is the eraser's. */
export const CLOSED_SHARD = 17;

/** The id before which days were dropped, in SQL: those behind the horizon are there until then. */
export const LOG_BEGINS = `coalesce(
	(select segue_id_floor((max(c.day) + 1)::timestamp at time zone 'utc') from closed_days c),
	'00000000-0000-0000-0000-000000000000'
)`;

/** What retention folded away, of one version or of all. */
export async function readClosedSums(
	database: Pick<Database, "query">,
	experiment: string,
	version: number | null = null,
): Promise<readonly StoredBucket[]> {
	const rows = await database.query<{
		version: number;
		arm: string;
		bucket: number;
		data: Buffer;
	}>(
		`select c.version, c.arm, c.bucket, c.data from closed_sums c
		where c.experiment = $1 and c.version = coalesce($2::int, c.version)
		order by c.version, c.arm, c.bucket`,
		[experiment, version],
	);
	return rows.map(({ data, ...bucket }) => ({
		...bucket,
		sums: fromDoubleBytes(data),
	}));
}

/** Oldest revision under which nothing was erased or dropped since; 0 where nothing ever was. */
export async function readFloor(
	database: Pick<Database, "query">,
	experiment: string,
): Promise<number> {
	const [row] = await database.query<{ floor: number }>(
		"select r.floor from revisions r where r.experiment = $1",
		[experiment],
	);
	return row?.floor ?? 0;
}
