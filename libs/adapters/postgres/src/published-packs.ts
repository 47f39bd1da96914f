import { setTimeout as sleep } from "node:timers/promises";
import type { Publisher } from "#core/log";
import type { PublishedPacks } from "#usecases/learning";
import type { Database } from "./database.js";
import { isTransient } from "./transient.js";

/** Packs kept for the next call where the database refuses them; beyond it the oldest are forgotten. */
const MOST_KEPT = 100_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Stores which packs learners took. One row a decider, which all learners add to, so never in a batch's transaction. Tried again while the
 * database is away: what were kept in memory alone would die with a learner whose messages are acknowledged, and be told as lost.
 */
export class PostgresPublishedPacks implements PublishedPacks {
	readonly #unstored = new Set<Publisher>();

	constructor(
		private readonly database: Pick<Database, "query">,
		private readonly onTrouble: (what: string, error: unknown) => void,
		/** Ends the tries: then `record` rejects, and its messages are not to be acknowledged. */
		private readonly stopping: AbortSignal,
	) {}

	async record(packs: readonly Publisher[]): Promise<void> {
		for (const pack of packs) this.#unstored.add(pack);
		for (
			let pauseMs = FIRST_PAUSE_MS;
			!(await this.#store());
			pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
		) {
			if (packs.length === 0) return;
			if (this.stopping.aborted) throw new NotStored();
			await sleep(pauseMs, undefined, { signal: this.stopping }).catch(() => {
				throw new NotStored();
			});
		}
	}

	/** All that is not stored, whoever waits for it; false where it may be tried again. */
	async #store(): Promise<boolean> {
		const all = [...this.#unstored];
		if (all.length === 0) return true;
		try {
			await recordPacks(this.database, all);
			for (const pack of all) this.#unstored.delete(pack);
			return true;
		} catch (error) {
			this.onTrouble(
				"Which packs were taken could not be stored; it is tried again",
				error,
			);
			for (const pack of all.slice(0, -MOST_KEPT)) this.#unstored.delete(pack);
			return !mayBeStoredLater(error);
		}
	}
}

class NotStored extends Error {
	constructor() {
		super(
			"Stopped before it was stored which packs were taken: what they held is committed, and their messages come again.",
		);
	}
}

/** The statement is always the same few rows: one that ran out of time says that the database is slow. */
function mayBeStoredLater(error: unknown): boolean {
	const code = (error as { code?: unknown }).code;
	return isTransient(error) || code === "57014";
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
