import {
	type Database,
	isRefusal,
	PostgresDefinitionStore,
	PostgresLearningLedger,
} from "#adapters/postgres";
import { Learn } from "#usecases/learning";
import type { Pairs } from "./pairs.js";

const PAIRS_A_BATCH = 10;
const MADE_AT_ONCE = 100 * PAIRS_A_BATCH;
const BOOT = "019b0000-0000-7000-8000-000000000002";
/** Positions in a stream that these messages do not lie in. */
const FIRST_POSITION = 1e9;

/** Bytes of the sums table, indexes and dead rows included, after so many small batches on live arms; and the pairs in them. */
export async function sumsAfterBatches(
	pairs: Pairs,
	database: Database,
	batches: number,
	say: (words: string) => void,
): Promise<{ readonly bytes: number; readonly pairs: number }> {
	const store = new PostgresDefinitionStore(database);
	const ledger = new PostgresLearningLedger({
		...database.options,
		applicationName: "segue bench learner",
		definitions: (ids) => store.byIds(ids),
	});
	try {
		const learn = new Learn(ledger, isRefusal);
		for (let done = 0; done < batches; ) {
			const made = await pairs.make(MADE_AT_ONCE);
			for (let at = 0; at < made.length && done < batches; done++) {
				const batch = made.slice(at, at + PAIRS_A_BATCH);
				at += PAIRS_A_BATCH;
				await learn.execute(
					pairs.encode(batch, 0, BOOT).map((message, place) => ({
						...message,
						storedAt: Date.now(),
						position: FIRST_POSITION + 2 * done + place,
					})),
				);
			}
			if (done % 1_000 === 0) say(`  ${done} batches`);
		}
	} finally {
		await ledger.close();
	}
	const [size] = await database.query<{ bytes: number }>(
		"select pg_total_relation_size('sums') as bytes",
	);
	return { bytes: size?.bytes ?? Number.NaN, pairs: PAIRS_A_BATCH * batches };
}
