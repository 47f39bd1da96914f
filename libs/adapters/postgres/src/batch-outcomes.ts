import type pg from "pg";
import {
	type DeadLetter,
	type LoggedEvent,
	refusedEvent,
} from "#usecases/learning";
import { firstBodies, splitKnown } from "./outcome-conflicts.js";
import { insertOutcomes, outcomeKey } from "./outcomes-sql.js";

export interface StoredOutcomes {
	/** Keys of the rows that were not there before, closings included. */
	readonly isNew: ReadonlySet<string>;
	readonly fresh: readonly LoggedEvent[];
	/** Stored before with the same body, or twice in the batch. */
	readonly known: readonly LoggedEvent[];
	readonly conflicts: readonly DeadLetter[];
}

const keyOf = ({ event }: LoggedEvent): string =>
	outcomeKey(event.decisionId as string, event.id);

/** Stores a batch's outcomes and closings under the locks of their ids, and tells new ones from those that came before. */
export async function storeOutcomes(
	client: pg.ClientBase,
	batch: number,
	outcomes: readonly LoggedEvent[],
	closings: readonly LoggedEvent[],
): Promise<StoredOutcomes> {
	const { first, others } = firstBodies(outcomes);
	const rows = closings.length === 0 ? first : [...first, ...closings];
	const isNew =
		rows.length > 0
			? await insertOutcomes(client, batch, rows)
			: new Set<string>();
	const again = first.filter((logged) => !isNew.has(keyOf(logged)));
	const { same, other } = await splitKnown(client, [...others, ...again]);
	return {
		isNew,
		fresh: first.filter((logged) => isNew.has(keyOf(logged))),
		known: same,
		conflicts: other.map((logged) =>
			refusedEvent(
				logged,
				`conflict: another body is stored under the id ${logged.event.id} of this decision`,
			),
		),
	};
}
