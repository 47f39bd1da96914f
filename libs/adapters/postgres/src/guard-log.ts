import type pg from "pg";
import type { BookRecord } from "./guard-sql.js";
import {
	type OutcomeRecord,
	outcomeColumns,
	toEvent,
} from "./outcome-record.js";

const FIRST_ID = "00000000-0000-0000-0000-000000000000";
const DAY_MS = 86_400_000;
const LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** What the guardrails' books read of the log, one action a function; guard-books.ts gives their order. */

export interface GuardedRecord {
	id: string;
	unit: string;
	assigned_group: "policy" | "control" | "outside";
	decided_at: Date;
	degraded: string[];
	origin: "server" | "import" | "edge";
	revision: number;
}

type StoredOutcome = {
	readonly event: ReturnType<typeof toEvent>;
	readonly revision: number | null;
};

/** The next few revisions' last; revisions whose decisions fell out of the log may be gone. */
export async function nextRevision(
	client: pg.ClientBase,
	experiment: string,
	after: number,
	most: number,
): Promise<{ readonly to: number; readonly newest: number }> {
	const { rows } = await client.query<{ to: number | null; newest: number }>(
		`select r.revision as newest, (select max(l.revision) from (
			select n.revision from revision_log n where n.experiment = $1 and n.revision > $2 and n.revision <= r.revision
			order by n.revision limit $3
		) l) as to from revisions r where r.experiment = $1`,
		[experiment, after, most],
	);
	const newest = rows[0]?.newest ?? after;
	return { to: rows[0]?.to ?? newest, newest };
}

/**
 * Decisions up to the cursor that revisions touched. Batches are looked up by their index alone: see context-log.ts. Days before the one that
 * the book began in are passed over; a bound within a day would have the planner read the day by it.
 */
export async function touchedIds(
	client: Pick<pg.ClientBase, "query">,
	experiment: string,
	book: BookRecord,
	to: number,
	begunAt: number,
): Promise<string[]> {
	const { rows } = await client.query<{ id: string }>(
		`with batches as materialized (
			select l.batch from revision_log l where l.experiment = $1 and l.revision > $2 and l.revision <= $3
		)
		select t.id from batches b cross join lateral (
			select d.id from decisions d where d.batch = b.batch and d.experiment = $1 and d.id >= segue_id_floor($5) offset 0
		) t where t.id <= $4::uuid
		union
		select t.id from batches b cross join lateral (
			select o.decision_id as id from outcomes o where o.batch = b.batch and o.decision_id >= segue_id_floor($5) offset 0
		) t where t.id <= $4::uuid`,
		[
			experiment,
			book.revision,
			to,
			book.cursor,
			new Date(Math.floor(begunAt / DAY_MS) * DAY_MS),
		],
	);
	return rows.map(({ id }) => id);
}

/** The next decisions behind the cursor, by id. */
export async function nextIds(
	client: pg.ClientBase,
	experiment: string,
	book: BookRecord,
	upTo: number,
	most: number,
): Promise<{ readonly ids: readonly string[]; readonly cursor: string }> {
	const { rows } = await client.query<{ id: string }>(
		`select d.id from decisions d
		where d.experiment = $1 and d.id > $2::uuid and d.id < segue_id_floor($3) order by d.id limit $4`,
		[experiment, book.cursor, new Date(upTo), most],
	);
	const ids = rows.map(({ id }) => id);
	if (ids.length === most) return { ids, cursor: ids.at(-1) as string };
	const { rows: floors } = await client.query<{ id: string }>(
		"select greatest($1::uuid, segue_id_floor($2)) as id",
		[book.cursor, new Date(upTo)],
	);
	return { ids, cursor: (floors[0] as { id: string }).id };
}

/** Of the decisions made under a definition row from `since` on: those stored by revision `to`. */
export async function readGuarded(
	client: pg.ClientBase,
	experiment: string,
	since: number,
	ids: readonly string[],
	to: number,
): Promise<readonly GuardedRecord[]> {
	const { rows } = await client.query<GuardedRecord>(
		`select d.id, d.unit, d.assigned_group, d.decided_at, d.degraded, d.origin, l.revision
		from decisions d join revision_log l on l.experiment = d.experiment and l.batch = d.batch
		where d.id = any ($1::uuid[]) and d.id between $5::uuid and $6::uuid and d.experiment = $2 and d.definition_id >= $3
		and d.assigned_group <> 'outside' and l.revision <= $4`,
		[ids, experiment, since, to, ...bounds(ids)],
	);
	return rows;
}

/** Each with the revision that stored it; null for what came before its decision, and counts with it. */
export async function readGuardedOutcomes(
	client: pg.ClientBase,
	experiment: string,
	ids: readonly string[],
	to: number,
): Promise<ReadonlyMap<string, readonly StoredOutcome[]>> {
	const { rows } = await client.query<
		OutcomeRecord & { revision: number | null }
	>(
		`select ${outcomeColumns}, l.revision
		from outcomes o left join revision_log l on l.experiment = $1 and l.batch = o.batch
		where o.decision_id = any ($2::uuid[]) and o.decision_id between $4::uuid and $5::uuid and (l.revision is null or l.revision <= $3)`,
		[experiment, ids, to, ...bounds(ids)],
	);
	const groups = new Map<string, StoredOutcome[]>();
	for (const row of rows) {
		const outcome = { event: toEvent(row), revision: row.revision };
		const group = groups.get(row.decision_id);
		if (group) group.push(outcome);
		else groups.set(row.decision_id, [outcome]);
	}
	return groups;
}

/** Least and greatest of the ids, so that partitions outside are passed over; of none, nothing lies between. */
function bounds(ids: readonly string[]): readonly [string, string] {
	const sorted = ids.toSorted();
	return [sorted[0] ?? LAST_ID, sorted.at(-1) ?? FIRST_ID];
}
