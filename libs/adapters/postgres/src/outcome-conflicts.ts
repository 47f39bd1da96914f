import type pg from "pg";
import type { LoggedEvent } from "#usecases/learning";
import { outcomeKey } from "./outcomes-sql.js";

const keyOf = ({ event }: LoggedEvent): string =>
	outcomeKey(event.decisionId as string, event.id);

/** The first of several bodies under one key in a batch, and the others. */
export function firstBodies(events: readonly LoggedEvent[]): {
	readonly first: readonly LoggedEvent[];
	readonly others: readonly LoggedEvent[];
} {
	const first = new Map<string, LoggedEvent>();
	const others: LoggedEvent[] = [];
	for (const event of events) {
		const key = keyOf(event);
		if (first.has(key)) others.push(event);
		else first.set(key, event);
	}
	return { first: [...first.values()], others };
}

/** Events whose key was stored already, by whether their body is the one stored. The first stored is the event; others never enter the set. */
export async function splitKnown(
	client: pg.ClientBase,
	events: readonly LoggedEvent[],
): Promise<{
	readonly same: readonly LoggedEvent[];
	readonly other: readonly LoggedEvent[];
}> {
	if (events.length === 0) return { same: [], other: [] };
	const { rows } = await client.query<{
		decision_id: string;
		event_id: string;
		body_hash: Buffer;
	}>({
		name: "segue-read-outcome-hashes",
		text: `select o.decision_id, o.event_id, o.body_hash
			from unnest($1::uuid[], $2::text[]) as r (decision_id, event_id)
			join outcomes o on o.decision_id = r.decision_id and o.event_id = r.event_id`,
		values: [
			events.map(({ event }) => event.decisionId),
			events.map(({ event }) => event.id),
		],
	});
	const stored = new Map(
		rows.map((row) => [
			outcomeKey(row.decision_id, row.event_id),
			row.body_hash,
		]),
	);
	const isSame = (logged: LoggedEvent) =>
		stored.get(keyOf(logged))?.equals(logged.bodyHash) !== false;
	return {
		same: events.filter(isSame),
		other: events.filter((logged) => !isSame(logged)),
	};
}
