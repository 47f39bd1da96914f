import type pg from "pg";
import type { Event } from "#core/log";
import type { LoggedEvent } from "#usecases/learning";
import { withBounds } from "./learning-sql.js";

/** The statements of a batch that store and read events, one action a function. */

/** Events that name no decision; `keys` are the keyed hashes of unit and event id. Returns those that were new, as `signalKey`. */
export async function insertSignals(
	client: pg.ClientBase,
	batch: number,
	events: readonly LoggedEvent[],
	keys: readonly Buffer[],
): Promise<ReadonlySet<string>> {
	const { rows } = await client.query<SignalKey>({
		name: "segue-insert-signals",
		text: `insert into signals (day, event_key, event_id, unit, session, type, item, slot, at, value, properties,
				body_hash, batch, boot, sequence, stored_at)
			select (to_timestamp(r.at / 1000.0) at time zone 'utc')::date, r.event_key, r.event_id, r.unit, r.session, r.type, r.item,
				r.slot, to_timestamp(r.at / 1000.0), r.value, r.properties, r.body_hash, $1, r.boot, r.sequence,
				to_timestamp(r.stored_at / 1000.0)
			from unnest($2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[], $9::float8[], $10::float8[],
				$11::jsonb[], $12::text[], $13::bytea[], $14::uuid[], $15::bigint[], $16::float8[])
				as r (event_key, event_id, unit, session, type, item, slot, at, value, properties, retracts, body_hash, boot, sequence, stored_at)
			order by 1, 2
			on conflict do nothing
			returning to_char(day, 'YYYY-MM-DD') as day, event_key`,
		values: [batch, keys, ...eventColumns(events), ...originColumns(events)],
	});
	return new Set(rows.map(signalKey));
}

export interface SignalKey {
	/** UTC, `2026-01-05`. */
	readonly day: string;
	readonly event_key: Buffer;
}

export const signalKey = ({ day, event_key }: SignalKey): string =>
	`${day} ${event_key.toString("hex")}`;

/** Hashes of stored bodies, by `signalKey`. */
export async function readSignalHashes(
	client: pg.ClientBase,
	keys: readonly SignalKey[],
): Promise<ReadonlyMap<string, Buffer>> {
	const { rows } = await client.query<SignalKey & { body_hash: Buffer }>({
		name: "segue-read-signal-hashes",
		text: `select to_char(g.day, 'YYYY-MM-DD') as day, g.event_key, g.body_hash
			from unnest($1::date[], $2::bytea[]) as r (day, event_key)
			join signals g on g.day = r.day and g.event_key = r.event_key`,
		values: [keys.map(({ day }) => day), keys.map((key) => key.event_key)],
	});
	return new Map(rows.map((row) => [signalKey(row), row.body_hash]));
}

function eventColumns(events: readonly LoggedEvent[]): unknown[] {
	return [
		events.map(({ event }) => event.id),
		events.map(({ event }) => event.unit),
		events.map(({ event }) => event.session ?? null),
		events.map(({ event }) => event.type),
		events.map(({ event }) => event.item ?? null),
		events.map(({ event }) => event.slot ?? null),
		events.map(({ event }) => event.at),
		events.map(({ event }) => event.value ?? null),
		events.map(({ event }) =>
			event.properties === undefined ? null : JSON.stringify(event.properties),
		),
		events.map(({ event }) => event.retracts ?? null),
	];
}

function originColumns(events: readonly LoggedEvent[]): unknown[] {
	return [
		events.map(({ bodyHash }) => Buffer.from(bodyHash)),
		events.map(({ publisher }) => publisher?.boot ?? null),
		events.map(({ publisher }) => publisher?.sequence ?? null),
		events.map(({ source }) => source.storedAt),
	];
}

export interface StoredOutcome {
	/** As far as it is judged. */
	readonly event: Event;
	readonly bodyHash: Buffer;
}

/** All outcomes of locked ids: a statement of its own, after the locks. */
export async function readOutcomes(
	client: pg.ClientBase,
	sortedIds: readonly string[],
): Promise<StoredOutcome[]> {
	if (sortedIds.length === 0) return [];
	const { rows } = await client.query<JudgedRecord>({
		name: "segue-read-outcomes",
		text: `select o.decision_id, o.event_id, o.unit, o.type, o.value, o.retracts, o.body_hash, date_part('epoch', o.at) as at
			from outcomes o where o.decision_id = any ($1::uuid[]) and o.decision_id between $2 and $3`,
		values: withBounds(sortedIds),
	});
	return rows.map((row) => ({
		event: {
			id: row.event_id,
			type: row.type,
			at: Math.round(1_000 * row.at),
			unit: row.unit,
			decisionId: row.decision_id,
			...(row.value !== null && { value: row.value }),
			...(row.retracts !== null && { retracts: row.retracts }),
		},
		bodyHash: row.body_hash,
	}));
}

interface JudgedRecord {
	decision_id: string;
	event_id: string;
	unit: string;
	type: string;
	value: number | null;
	retracts: string | null;
	body_hash: Buffer;
	/** Seconds since the epoch. */
	at: number;
}
