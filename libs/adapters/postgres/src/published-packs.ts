import type { Publisher } from "#core/log";
import type { PublishedPacks } from "#usecases/learning";
import type { Database } from "./database.js";

/** Packs kept for the next call while the database does not take them; beyond it the oldest are forgotten. */
const MOST_KEPT = 100_000;

/** Stores which packs learners took. One row a decider, which all learners add to, so never in a batch's transaction. */
export class PostgresPublishedPacks implements PublishedPacks {
	#kept: readonly Publisher[] = [];

	constructor(
		private readonly database: Pick<Database, "query">,
		private readonly onTrouble: (what: string, error: unknown) => void,
	) {}

	async record(packs: readonly Publisher[]): Promise<void> {
		const all = [...this.#kept, ...packs].slice(-MOST_KEPT);
		if (all.length === 0) return;
		this.#kept = [];
		try {
			await recordPacks(this.database, all);
		} catch (error) {
			this.#kept = [...all, ...this.#kept];
			this.onTrouble(
				"Which packs were taken could not be stored; they are stored with the next batch",
				error,
			);
		}
	}
}

/** In the order of the key, so that learners cannot deadlock; a redelivery writes nothing. */
async function recordPacks(
	database: Pick<Database, "query">,
	packs: readonly Publisher[],
): Promise<void> {
	await database.query(
		`insert into published as p (boot, taken)
		select r.boot, range_agg(int8range(r.sequence, r.sequence, '[]'))
		from unnest($1::uuid[], $2::bigint[]) as r (boot, sequence)
		group by r.boot order by r.boot
		on conflict (boot) do update set taken = p.taken + excluded.taken, last_at = clock_timestamp()
		where not p.taken @> excluded.taken`,
		[packs.map(({ boot }) => boot), packs.map(({ sequence }) => sequence)],
		"segue-record-packs",
	);
}
