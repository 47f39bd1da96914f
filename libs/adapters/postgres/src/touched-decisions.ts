import type pg from "pg";
import type { Definition } from "#core/experiment";
import type {
	LockedDecision,
	LoggedDecision,
	LoggedEvent,
} from "#usecases/learning";
import type { KnownDefinitions } from "./known-definitions.js";
import { readDecisions, type StateRecord } from "./learning-sql.js";
import { byDecision } from "./outcome-record.js";
import { outcomeKey, readOutcomes } from "./outcomes-sql.js";

/** What a batch has stored so far, under the locks of its ids. */
export interface StoredBatch {
	readonly states: readonly StateRecord[];
	/** Decisions whose placeholder this batch filled. */
	readonly filled: readonly LoggedDecision[];
	readonly outcomes: readonly LoggedEvent[];
	/** Keys of the outcomes and closings that were not there before. */
	readonly isNew: ReadonlySet<string>;
}

/** The locked decisions whose row or outcomes the batch changed, with everything the log now says of them. */
export async function readTouched(
	client: pg.ClientBase,
	stored: StoredBatch,
	definitions: KnownDefinitions,
): Promise<LockedDecision[]> {
	const stateOf = new Map(stored.states.map((state) => [state.id, state]));
	const rows = new Map(stored.filled.map(({ row }) => [row.id, row]));
	const fresh = new Set(rows.keys());
	const moved = idsWithNewOutcomes(stored).filter(
		(id) => !rows.has(id) && stateOf.get(id)?.experiment != null,
	);
	if (moved.length > 0)
		for (const row of await readDecisions(client, moved)) rows.set(row.id, row);
	if (rows.size === 0) return [];
	await definitions.learn([...rows.values()].map((row) => row.definitionId));
	const outcomesOf = byDecision(await readOutcomes(client, [...rows.keys()]));
	return [...rows.values()].map((row) => {
		const { exposed, reward } = stateOf.get(row.id) as StateRecord;
		const outcomes = outcomesOf.get(row.id) ?? [];
		return {
			row,
			definition: definitions.get(row.definitionId) as Definition,
			outcomes,
			earlier: outcomes.filter(
				({ id }) => !stored.isNew.has(outcomeKey(row.id, id)),
			),
			fresh: fresh.has(row.id),
			exposed,
			reward,
		};
	});
}

function idsWithNewOutcomes({ outcomes, isNew }: StoredBatch): string[] {
	const ids = outcomes.flatMap(({ event }) => {
		const id = event.decisionId as string;
		return isNew.has(outcomeKey(id, event.id)) ? [id] : [];
	});
	return [...new Set(ids)];
}
