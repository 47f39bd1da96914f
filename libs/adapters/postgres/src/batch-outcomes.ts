import type pg from "pg";
import type { Event } from "#core/log";
import {
	type DeadLetter,
	type LoggedEvent,
	refusedEvent,
} from "#usecases/learning";
import { copyOutcomes } from "./outcome-copy.js";
import { byDecision } from "./outcome-record.js";
import { readOutcomes } from "./outcomes-sql.js";

export interface StoredOutcomes {
	/** Rows that were not there before, but for closings. */
	readonly fresh: readonly LoggedEvent[];
	/** Closings that were not there before. */
	readonly closed: readonly LoggedEvent[];
	/** Stored before with the same body, or twice in the batch. */
	readonly known: readonly LoggedEvent[];
	readonly conflicts: readonly DeadLetter[];
	/** What was stored before, of the decisions that were looked at, by decision. */
	readonly earlier: ReadonlyMap<string, readonly Event[]>;
}

interface Delivered {
	readonly outcomes: readonly LoggedEvent[];
	readonly closings: readonly LoggedEvent[];
	/** Locked decisions that may have outcomes already, sorted: those that were there before the batch. */
	readonly mayHave: readonly string[];
}

/**
 * Stores a batch's outcomes and closings under the locks of their decisions. Whoever stores an outcome holds its decision's lock, so what
 * a statement after the locks finds is all there is, and tells new ones from those that came before.
 */
export async function storeOutcomes(
	client: pg.ClientBase,
	batch: number,
	{ outcomes, closings, mayHave }: Delivered,
): Promise<StoredOutcomes> {
	const stored = await readOutcomes(client, mayHave);
	const sorted = sortOut(
		outcomes,
		closings,
		new Map(stored.map(({ event, bodyHash }) => [keyOf(event), bodyHash])),
	);
	await copyOutcomes(client, batch, [...sorted.fresh, ...sorted.closed]);
	return { ...sorted, earlier: byDecision(stored.map(({ event }) => event)) };
}

const keyOf = ({ decisionId, id }: Event): string => `${decisionId}/${id}`;

/** The first body under a key is the event; another one under it never enters the set. `hashes` gains what is new. */
function sortOut(
	outcomes: readonly LoggedEvent[],
	closings: readonly LoggedEvent[],
	hashes: Map<string, Uint8Array>,
): Omit<StoredOutcomes, "earlier"> {
	const fresh: LoggedEvent[] = [];
	const known: LoggedEvent[] = [];
	const conflicts: DeadLetter[] = [];
	for (const logged of outcomes) {
		const key = keyOf(logged.event);
		const hash = hashes.get(key);
		if (hash === undefined) {
			fresh.push(logged);
			hashes.set(key, logged.bodyHash);
		} else if (Buffer.compare(hash, logged.bodyHash) === 0) known.push(logged);
		else conflicts.push(conflict(logged));
	}
	const closed = closings.filter(({ event }) => !hashes.has(keyOf(event)));
	return { fresh, closed, known, conflicts };
}

function conflict(logged: LoggedEvent): DeadLetter {
	return refusedEvent(
		logged,
		`conflict: another body is stored under the id ${logged.event.id} of this decision`,
	);
}
