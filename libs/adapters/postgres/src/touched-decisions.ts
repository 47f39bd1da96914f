import type pg from "pg";
import type { Definition } from "#core/experiment";
import type { Event } from "#core/log";
import type {
	LearnableRow,
	LockedDecision,
	LoggedDecision,
} from "#usecases/learning";
import type { StoredOutcomes } from "./batch-outcomes.js";
import type { KnownDefinitions } from "./known-definitions.js";
import { readDecisions, type StateRecord } from "./learning-sql.js";
import { byDecision } from "./outcome-record.js";

/** What a batch has stored so far, under the locks of its ids. */
export interface StoredBatch {
	readonly states: ReadonlyMap<string, StateRecord>;
	/** Decisions that were not there before this batch. */
	readonly filled: readonly LoggedDecision[];
	readonly outcomes: StoredOutcomes;
}

const NONE: readonly Event[] = [];

/** The locked decisions whose row or outcomes the batch changed, with everything the log now says of them. */
export async function readTouched(
	client: pg.ClientBase,
	{ states, filled, outcomes }: StoredBatch,
	definitions: KnownDefinitions,
): Promise<LockedDecision[]> {
	const rows = new Map<string, LearnableRow>(
		filled.map(({ row }) => [row.id, row]),
	);
	const fresh = new Set(rows.keys());
	const added = byDecision(
		[...outcomes.fresh, ...outcomes.closed].map(({ event }) => event),
	);
	const moved = [...added.keys()].filter(
		(id) => !fresh.has(id) && states.get(id)?.experiment != null,
	);
	for (const row of await readDecisions(client, moved.sort()))
		rows.set(row.id, row);
	await definitions.learn([...rows.values()].map((row) => row.definitionId));
	return [...rows.values()].map((row) => {
		const { exposed, reward } = states.get(row.id) as StateRecord;
		const earlier = outcomes.earlier.get(row.id) ?? NONE;
		const now = added.get(row.id) ?? NONE;
		return {
			row,
			definition: definitions.get(row.definitionId) as Definition,
			outcomes: earlier.length === 0 ? now : [...earlier, ...now],
			earlier,
			fresh: fresh.has(row.id),
			exposed,
			reward,
		};
	});
}
