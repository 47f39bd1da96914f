import type pg from "pg";
import type { LoggedEvent } from "#usecases/learning";
import { type CopyColumn, copyRows } from "./binary-copy.js";

interface Stored extends LoggedEvent {
	readonly batch: number;
}

const columns: readonly CopyColumn<Stored>[] = [
	["decision_id", (to, { event }) => to.uuid(event.decisionId ?? null)],
	["event_id", (to, { event }) => to.text(event.id)],
	["unit", (to, { event }) => to.text(event.unit)],
	["session", (to, { event }) => to.text(event.session ?? null)],
	["type", (to, { event }) => to.text(event.type)],
	["item", (to, { event }) => to.text(event.item ?? null)],
	["slot", (to, { event }) => to.int4(event.slot ?? null)],
	["at", (to, { event }) => to.time(event.at)],
	["value", (to, { event }) => to.float8(event.value ?? null)],
	["properties", (to, { event }) => to.jsonb(event.properties)],
	["retracts", (to, { event }) => to.text(event.retracts ?? null)],
	["body_hash", (to, { bodyHash }) => to.bytes(bodyHash)],
	["batch", (to, { batch }) => to.int8(batch)],
	["boot", (to, { publisher }) => to.uuid(publisher?.boot ?? null)],
	["sequence", (to, { publisher }) => to.int8(publisher?.sequence ?? null)],
	["stored_at", (to, { source }) => to.time(source.storedAt)],
];

/** Under the locks of their decisions, after a look at what is there of them: none of these is. */
export async function copyOutcomes(
	client: pg.ClientBase,
	batch: number,
	events: readonly LoggedEvent[],
): Promise<void> {
	if (events.length === 0) return;
	const rows = events.map((logged) => ({ ...logged, batch }));
	await copyRows(client, "outcomes", columns, rows);
}
