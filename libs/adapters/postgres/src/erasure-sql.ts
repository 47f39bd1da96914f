import type pg from "pg";
import type { Group } from "#core/experiment";
import type { Event } from "#core/log";
import type { Database } from "./database.js";

/** The statements of an erasure, one action a function; erasure-transaction.ts gives their order. All run under the exclusive gate. */

/**
 * Every statement finds its rows by keys, whatever the planner believes: it took 470 ms to scan the small partitions of ninety days,
 * comparing each row with a thousand ids, where their keys take 9 ms.
 */
export const byKeys =
	"set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off;";

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

/** The first of the units' decisions, in the order of ids, that does not come out with the `most` before it; null where all do. Most units' are counted in the index alone. */
export async function readBound(
	client: pg.ClientBase,
	units: readonly string[],
	most: number,
): Promise<string | null> {
	const { rows: counts } = await client.query<{ n: number }>(
		"select count(*) as n from (select from decisions d where d.unit = any ($1::text[]) limit $2 + 1) f",
		[units, most],
	);
	if ((counts[0]?.n ?? 0) <= most) return null;
	const { rows } = await client.query<{ id: string }>(
		"select d.id from decisions d where d.unit = any ($1::text[]) order by d.id offset $2 limit 1",
		[units, most],
	);
	return rows[0]?.id ?? null;
}

/** What of a decision says where its share of the sums is, and what its events counted as. */
export interface TakenDecision {
	readonly id: string;
	/** Names experiment and version. */
	readonly definitionId: number;
	readonly arm: string;
	readonly x: Buffer;
	readonly group: Group;
	readonly unit: string;
	/** Milliseconds since the epoch. */
	readonly decidedAt: number;
}

/** Takes out the units' decisions before the bound. By unit, since rows found by a thousand ids cost twice as much. */
export async function deleteDecisions(
	client: pg.ClientBase,
	units: readonly string[],
	bound: string | null,
): Promise<readonly TakenDecision[]> {
	const { rows } = await client.query<TakenDecision>(
		`delete from decisions d where d.unit = any ($1::text[]) and ($2::uuid is null or d.id < $2)
		returning d.id, d.definition_id as "definitionId", d.arm, d.x, d.assigned_group as "group", d.unit,
			round(date_part('epoch', d.decided_at) * 1000) as "decidedAt"`,
		[units, bound],
	);
	return rows;
}

export interface DeletedState {
	readonly id: string;
	readonly exposed: 0 | 1;
	readonly reward: number;
}

/** As a subquery, since ids that the planner sees are compared with every partition's bounds and statistics, each time. */
const theIds = "any (array(select unnest($1::uuid[])))";

/** A list of ids as PostgreSQL writes it, which takes pg as long for a thousand as to delete their rows. */
export const idList = (of: readonly { readonly id: string }[]): string =>
	`{${of.map(({ id }) => id).join(",")}}`;

/** @param ids as `idList` writes them */
export async function deleteStates(
	client: pg.ClientBase,
	ids: string,
): Promise<readonly DeletedState[]> {
	const { rows } = await client.query<DeletedState>(
		`delete from decision_states s where s.id = ${theIds} returning s.id, s.exposed, s.reward`,
		[ids],
	);
	return rows;
}

/** What of an event its verdict depends on. */
interface TakenOutcome {
	readonly decision_id: string;
	readonly event_id: string;
	readonly unit: string;
	readonly type: string;
	readonly at: number;
	readonly value: number | null;
	readonly retracts: string | null;
}

/**
 * Whoever's events they are: without their decision they say nothing, and would wait for it for ever.
 * @param ids as `idList` writes them
 */
export async function deleteOutcomesOf(
	client: pg.ClientBase,
	ids: string,
): Promise<readonly Event[]> {
	const { rows } = await client.query<TakenOutcome>(
		`delete from outcomes o where o.decision_id = ${theIds}
		returning o.decision_id, o.event_id, o.unit, o.type, round(date_part('epoch', o.at) * 1000) as at, o.value, o.retracts`,
		[ids],
	);
	return rows.map(({ decision_id, event_id, value, retracts, ...row }) => ({
		id: event_id,
		decisionId: decision_id,
		unit: row.unit,
		type: row.type,
		at: row.at,
		...(value !== null && { value }),
		...(retracts !== null && { retracts }),
	}));
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

/** The instant before which the log was folded away, milliseconds; null where nothing ever was. */
export async function readFoldedBefore(
	database: Pick<Database, "query">,
): Promise<number | null> {
	const [row] = await database.query<{ at: number | null }>(
		`select (extract(epoch from (max(c.day) + 1)::timestamp at time zone 'utc') * 1000)::float8 as at from closed_days c`,
	);
	return row?.at ?? null;
}
