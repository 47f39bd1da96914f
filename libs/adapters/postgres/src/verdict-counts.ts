import type {
	LedgerReads,
	VerdictChange,
	VerdictCount,
} from "#usecases/learning";
import type { Database } from "./database.js";

/** How a transaction's verdicts are handed to `segue_count_verdicts`, which adds them to the rows of one shard in key order. */
export function countColumns(changes: readonly VerdictChange[]): unknown[] {
	return [
		changes.map(({ experiment }) => experiment),
		changes.map(({ kind }) => kind),
		changes.map(({ verdict }) => verdict),
		changes.map(({ change }) => change),
	];
}

export class PostgresLedgerReads implements LedgerReads {
	constructor(private readonly database: Database) {}

	counts(
		experiment: string,
	): Promise<readonly Omit<VerdictCount, "experiment">[]> {
		return this.database.query<Omit<VerdictCount, "experiment">>(
			`select v.kind, v.verdict, sum(v.count)::bigint as count from verdict_counts v
			where v.experiment = $1
			group by v.kind, v.verdict having sum(v.count) <> 0
			order by v.kind, v.verdict`,
			[experiment],
		);
	}
}
