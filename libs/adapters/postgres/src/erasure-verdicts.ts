import type pg from "pg";
import { type Definition, judge, type Verdict } from "#core/experiment";
import type { Event } from "#core/log";
import { NO_EXPERIMENT, VerdictTally } from "#usecases/learning";
import type { TakenDecisions } from "./erasure-taken.js";
import { namingRevisions } from "./gate.js";
import { byDecision } from "./outcome-record.js";
import { countColumns } from "./verdict-counts.js";

/** What one transaction of an erasure takes out of the log. */
export interface TakenOut {
	readonly decisions: readonly TakenDecisions[];
	/** Of the decisions taken out. */
	readonly outcomes: readonly Event[];
}

/**
 * What is taken out was delivered all the same: its count moves to `erased`, under no experiment. A delivery that was refused or known
 * keeps its verdict, which says nothing of anyone.
 */
export function erasedVerdicts(
	{ decisions, outcomes }: TakenOut,
	definitions: ReadonlyMap<number, Definition>,
): VerdictTally {
	const tally = new VerdictTally();
	for (const [key, counts] of countByExperiment(
		decisions,
		outcomes,
		definitions,
	))
		for (const [verdict, count] of counts) {
			const kind = verdict === "logged" ? "decision" : "event";
			tally.add(key, kind, verdict, -count);
			tally.add(NO_EXPERIMENT, kind, "erased", count);
		}
	return tally;
}

/**
 * The same of events that do not name a decision taken out.
 * @param strays of each that names another one, its experiment, or null where it has not come
 * @param signals events that name none
 */
export function countStrays(
	tally: VerdictTally,
	strays: readonly (string | null)[],
	signals: number,
): void {
	for (const experiment of strays)
		if (experiment === null)
			tally.add(NO_EXPERIMENT, "event", "unknown decision (waiting)", -1);
		else tally.add(experiment, "event", "wrong unit", -1);
	tally.add(NO_EXPERIMENT, "event", "signal", -signals);
	tally.add(NO_EXPERIMENT, "event", "erased", strays.length + signals);
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

/** Adds to the counts, and names the experiments that revisions are to be taken of, which costs no round trip of its own. */
export async function writeVerdicts(
	client: pg.ClientBase,
	shard: number,
	tally: VerdictTally,
	revisions: readonly [experiments: string, batch: string],
): Promise<void> {
	await client.query({
		name: "segue-write-erased-verdicts",
		text: `select ${namingRevisions}, segue_count_verdicts($3::int, $4::text[], $5::text[], $6::text[], $7::bigint[])`,
		values: [...revisions, shard, ...countColumns(tally.changes())],
	});
}
