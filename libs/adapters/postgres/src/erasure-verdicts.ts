import type pg from "pg";
import { judge } from "#core/experiment";
import { NO_EXPERIMENT, VerdictTally } from "#usecases/learning";
import { readDefinitions } from "./definition-store.js";
import type { Share } from "./erasure-sql.js";
import { byDecision, type OutcomeRecord, toEvent } from "./outcome-record.js";
import { countColumns } from "./verdict-counts.js";

/** What one transaction of an erasure takes out of the log. */
export interface TakenOut {
	readonly shares: readonly Share[];
	/** Of the decisions taken out. */
	readonly outcomes: readonly OutcomeRecord[];
	/** Of decisions that are not: the experiment, or null where the decision had not come. */
	readonly strays: readonly (string | null)[];
	readonly signals: number;
}

/**
 * What is taken out was delivered all the same: its count moves to `erased`, under no experiment. A delivery that was refused or known
 * keeps its verdict, which says nothing of anyone.
 */
export async function countErased(
	client: pg.ClientBase,
	shard: number,
	taken: TakenOut,
): Promise<void> {
	const tally = new VerdictTally();
	if (taken.outcomes.length > 0) await countOutcomes(client, taken, tally);
	for (const { experiment } of taken.shares)
		tally.add(experiment, "decision", "logged", -1);
	for (const experiment of taken.strays)
		if (experiment === null)
			tally.add(NO_EXPERIMENT, "event", "unknown decision (waiting)", -1);
		else tally.add(experiment, "event", "wrong unit", -1);
	tally.add(NO_EXPERIMENT, "event", "signal", -taken.signals);
	const changes = tally.changes();
	for (const { kind, change } of changes)
		tally.add(NO_EXPERIMENT, kind, "erased", -change);
	await client.query(
		"select segue_count_verdicts($1::int, $2::text[], $3::text[], $4::text[], $5::bigint[])",
		[shard, ...countColumns(tally.changes())],
	);
}

async function countOutcomes(
	client: pg.ClientBase,
	{ shares, outcomes }: TakenOut,
	tally: VerdictTally,
): Promise<void> {
	const definitions = await readDefinitions(client, [
		...new Set(shares.map(({ definitionId }) => definitionId)),
	]);
	const definitionOf = new Map(definitions.map((row) => [row.id, row]));
	const outcomesOf = byDecision(outcomes.map(toEvent));
	for (const share of shares) {
		const events = outcomesOf.get(share.id);
		if (events === undefined) continue;
		const definition = definitionOf.get(share.definitionId);
		if (definition === undefined)
			throw new Error(
				`The decision ${share.id} names the definition row ${share.definitionId}, which is not there.`,
			);
		const { verdicts } = judge(definition.experiment.reward, share, events);
		for (const { verdict } of verdicts.values())
			tally.add(share.experiment, "event", verdict, -1);
	}
}
