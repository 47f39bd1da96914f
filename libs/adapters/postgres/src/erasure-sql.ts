import type pg from "pg";
import type { Group } from "#core/experiment";
import type { Database } from "./database.js";
import { fromGridBytes } from "./decision-record.js";
import { type OutcomeRecord, outcomeColumns } from "./outcome-record.js";

/** The statements of an erasure, one action a function; erasure.ts gives their order. All run under the exclusive gate. */

/** Each unit is refused up to now from here on; an earlier tombstone only moves forward. Returns the latest instant, milliseconds. */
export async function writeTombstones(
	client: pg.ClientBase,
	unitKeys: readonly Buffer[],
): Promise<number> {
	const { rows } = await client.query<{ erased_at: Date }>(
		`insert into tombstones as t (unit_key, erased_at)
		select k.unit_key, date_trunc('milliseconds', clock_timestamp())
		from unnest($1::bytea[]) as k (unit_key) order by k.unit_key
		on conflict (unit_key) do update set erased_at = greatest(t.erased_at, excluded.erased_at)
		returning t.erased_at`,
		[unitKeys],
	);
	return Math.max(...rows.map((row) => row.erased_at.getTime()));
}

/** What a decision gave to the sums, and where. */
export interface Share {
	readonly id: string;
	readonly experiment: string;
	readonly version: number;
	readonly arm: string;
	readonly x: Float64Array;
	readonly group: Group;
	readonly unit: string;
	/** Milliseconds since the epoch. */
	readonly decidedAt: number;
	readonly definitionId: number;
}

/** Up to `most` decisions of the units. */
export async function readShares(
	client: pg.ClientBase,
	units: readonly string[],
	most: number,
): Promise<readonly Share[]> {
	const { rows } = await client.query<
		Omit<Share, "x" | "decidedAt"> & {
			readonly x: Buffer;
			readonly decidedAt: Date;
		}
	>(
		`select d.id, d.experiment, d.version, d.arm, d.x, d.assigned_group as "group", d.unit, d.decided_at as "decidedAt",
			d.definition_id as "definitionId"
		from decisions d where d.unit = any ($1::text[]) limit $2`,
		[units, most],
	);
	return rows.map((row) => ({
		...row,
		x: fromGridBytes(row.x),
		decidedAt: row.decidedAt.getTime(),
	}));
}

export interface DeletedState {
	readonly id: string;
	/** Null for a placeholder. */
	readonly experiment: string | null;
	readonly exposed: 0 | 1;
	readonly reward: number;
}

export async function deleteStates(
	client: pg.ClientBase,
	ids: readonly string[],
): Promise<readonly DeletedState[]> {
	const { rows } = await client.query<DeletedState>(
		`delete from decision_states s where s.id = any ($1::uuid[])
		returning s.id, s.experiment, s.exposed, s.reward`,
		[ids],
	);
	return rows;
}

export async function deleteDecisions(
	client: pg.ClientBase,
	ids: readonly string[],
): Promise<number> {
	const { rowCount } = await client.query(
		"delete from decisions d where d.id = any ($1::uuid[])",
		[ids],
	);
	return rowCount ?? 0;
}

/** Whoever's events they are: without their decision they say nothing, and would wait for it for ever. */
export async function deleteOutcomesOf(
	client: pg.ClientBase,
	ids: readonly string[],
): Promise<readonly OutcomeRecord[]> {
	const { rows } = await client.query<OutcomeRecord>(
		`delete from outcomes o where o.decision_id = any ($1::uuid[]) returning ${outcomeColumns}`,
		[ids],
	);
	return rows;
}

/** The units' events that name decisions of others, or decisions that have not come. Returns the decision of each. */
export async function deleteStrayOutcomes(
	client: pg.ClientBase,
	units: readonly string[],
): Promise<readonly string[]> {
	const { rows } = await client.query<{ decision_id: string }>(
		"delete from outcomes o where o.unit = any ($1::text[]) returning o.decision_id",
		[units],
	);
	return rows.map((row) => row.decision_id);
}

/** The experiment of each id's decision; null where it has not come. */
export async function experimentsOf(
	client: pg.ClientBase,
	ids: readonly string[],
): Promise<ReadonlyMap<string, string | null>> {
	const { rows } = await client.query<{
		id: string;
		experiment: string | null;
	}>(
		"select s.id, s.experiment from decision_states s where s.id = any ($1::uuid[])",
		[ids],
	);
	return new Map(rows.map((row) => [row.id, row.experiment]));
}

/** Of the ids, those that wait for a decision and for which nothing waits any more. */
export async function deleteEmptyPlaceholders(
	client: pg.ClientBase,
	ids: readonly string[],
): Promise<number> {
	const { rowCount } = await client.query(
		`delete from decision_states s where s.id = any ($1::uuid[]) and s.experiment is null
		and not exists (select from outcomes o where o.decision_id = s.id and o.decision_id = any ($1::uuid[]))`,
		[ids],
	);
	return rowCount ?? 0;
}

export async function deleteSignals(
	client: pg.ClientBase,
	units: readonly string[],
): Promise<number> {
	const { rowCount } = await client.query(
		"delete from signals g where g.unit = any ($1::text[])",
		[units],
	);
	return rowCount ?? 0;
}

export async function deleteRequests(
	client: pg.ClientBase,
	units: readonly string[],
): Promise<number> {
	const { rowCount } = await client.query(
		"delete from requests r where r.unit = any ($1::text[])",
		[units],
	);
	return rowCount ?? 0;
}

/** Width of the time buckets, milliseconds, by `experiment version`. */
export async function readBucketWidths(
	client: pg.ClientBase,
	experiments: readonly string[],
): Promise<ReadonlyMap<string, number>> {
	const { rows } = await client.query<{
		experiment: string;
		version: number;
		bucket_ms: number;
	}>(
		`select distinct on (d.experiment, d.version) d.experiment, d.version, d.bucket_ms
		from experiment_definitions d where d.experiment = any ($1::text[])
		order by d.experiment, d.version, d.id desc`,
		[experiments],
	);
	return new Map(
		rows.map((row) => [`${row.experiment} ${row.version}`, row.bucket_ms]),
	);
}

/** The instant before which the log was folded away, milliseconds; null where nothing ever was. */
export async function readFoldedBefore(
	database: Pick<Database, "query">,
): Promise<number | null> {
	const [row] = await database.query<{ at: number | null }>(
		`select (extract(epoch from (max(c.day) + 1)::timestamp at time zone 'utc') * 1000)::float8 as at from closed_days c`,
	);
	return row?.at ?? null;
}
