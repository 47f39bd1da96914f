import type pg from "pg";
import type { LockedDecision, VerdictChange } from "#usecases/learning";
import { countColumns } from "./verdict-counts.js";

/**
 * The end of a batch. The counts are added where the names of the revisions to take are set, which costs no round trip of its own;
 * revisions and commit travel in one message, so the revision rows are locked for none.
 */
export async function commitBatch(
	client: pg.ClientBase,
	shard: number,
	batch: number,
	touched: readonly LockedDecision[],
	verdicts: readonly VerdictChange[],
): Promise<ReadonlyMap<string, number>> {
	const experiments = [
		...new Set(touched.map(({ row }) => row.experiment)),
	].sort();
	await client.query({
		name: "segue-count-verdicts",
		text: `select set_config('segue.experiments', $1, true), set_config('segue.batch', $2, true),
			segue_count_verdicts($3::int, $4::text[], $5::text[], $6::text[], $7::bigint[])`,
		values: [
			experiments.join(","),
			String(batch),
			shard,
			...countColumns(verdicts),
		],
	});
	if (experiments.length === 0) {
		await client.query("commit");
		return new Map();
	}
	const results = (await client.query(
		"select t.experiment, t.revision from segue_take_revisions() t; commit",
	)) as unknown as pg.QueryResult<{ experiment: string; revision: number }>[];
	return new Map(
		(results[0]?.rows ?? []).map((row) => [row.experiment, row.revision]),
	);
}
