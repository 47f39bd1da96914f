import type pg from "pg";
import { type Definition, judge, type Verdict } from "#core/experiment";
import type { Event } from "#core/log";
import { NO_EXPERIMENT, VerdictTally } from "#usecases/learning";
import type { TakenDecisions } from "./erasure-taken.js";
import { byDecision } from "./outcome-record.js";
import { countColumns } from "./verdict-counts.js";

/** What one transaction of an erasure takes out of the log. */
export interface TakenOut {
	readonly decisions: readonly TakenDecisions[];
	/** Of the decisions taken out. */
	readonly outcomes: readonly Event[];
	/** Of decisions that are not: the experiment, or null where the decision had not come. */
	readonly strays: readonly (string | null)[];
	readonly signals: number;
}

/**
 * What is taken out was delivered all the same: its count moves to `erased`, under no experiment. A delivery that was refused or known
 * keeps its verdict, which says nothing of anyone.
 */
export function erasedVerdicts(
	{ decisions, outcomes, strays, signals }: TakenOut,
	definitions: ReadonlyMap<number, Definition>,
): VerdictTally {
	const tally = new VerdictTally();
	for (const [key, counts] of countByExperiment(
		decisions,
		outcomes,
		definitions,
	))
		for (const [verdict, count] of counts)
			tally.add(
				key,
				verdict === "logged" ? "decision" : "event",
				verdict,
				-count,
			);
	for (const experiment of strays)
		if (experiment === null)
			tally.add(NO_EXPERIMENT, "event", "unknown decision (waiting)", -1);
		else tally.add(experiment, "event", "wrong unit", -1);
	tally.add(NO_EXPERIMENT, "event", "signal", -signals);
	for (const { kind, change } of tally.changes())
		tally.add(NO_EXPERIMENT, kind, "erased", -change);
	return tally;
}

function countByExperiment(
	decisions: readonly TakenDecisions[],
	outcomes: readonly Event[],
	definitions: ReadonlyMap<number, Definition>,
): ReadonlyMap<string, ReadonlyMap<Verdict, number>> {
	const byExperiment = new Map<string, Map<Verdict, number>>();
	const outcomesOf = byDecision(outcomes);
	for (const { definitionId, group, unit, ids, decidedAt } of decisions) {
		const { experiment } = definitions.get(definitionId) as Definition;
		let counts = byExperiment.get(experiment.key);
		if (counts === undefined) {
			counts = new Map();
			byExperiment.set(experiment.key, counts);
		}
		counts.set("logged", (counts.get("logged") ?? 0) + ids.length);
		for (const [i, id] of ids.entries()) {
			const events = outcomesOf.get(id);
			if (events === undefined) continue;
			const decision = { group, unit, decidedAt: decidedAt[i] as number };
			const { verdicts } = judge(experiment.reward, decision, events);
			for (const { verdict } of verdicts.values())
				counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
		}
	}
	return byExperiment;
}

export async function writeVerdicts(
	client: pg.ClientBase,
	shard: number,
	tally: VerdictTally,
): Promise<void> {
	await client.query({
		name: "segue-write-erased-verdicts",
		text: "select segue_count_verdicts($1::int, $2::text[], $3::text[], $4::text[], $5::bigint[])",
		values: [shard, ...countColumns(tally.changes())],
	});
}
