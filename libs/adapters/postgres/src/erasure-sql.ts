import type pg from "pg";

/** The statements of an erasure, one action a function; erasure-transaction.ts gives their order. All run under the exclusive gate, and have names: planning them for the partitions of every day takes as long as a hundred rows. */

/**
 * Every statement finds its rows by keys, whatever the planner believes: it took 470 ms to scan the small partitions of ninety days,
 * comparing each row with a thousand ids, where their keys take 9 ms.
 */
export const byKeys =
	"set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off;";

/**
 * The same for a session beside, which has no transaction around its reads. It waits for a lock no longer than the gate is waited for: as
 * when a partition is being made that waits for the erasure itself.
 */
export const byKeysBeside = `${byKeys.replaceAll("set local", "set")} set lock_timeout = 200; set jit = off`;

/**
 * Each unit is refused up to now from here on; an earlier tombstone only moves forward. Profiles and consents go with it: what is put behind the
 * gate is of a unit that returned. Returns the latest instant, milliseconds, and how many of each there were.
 */
export async function writeTombstones(
	client: pg.ClientBase,
	{
		keys,
		liveKeys,
	}: {
		readonly keys: readonly Buffer[];
		readonly liveKeys: readonly Buffer[];
	},
	units: readonly string[],
): Promise<{
	readonly erasedAt: number;
	readonly profiles: number;
	readonly consents: number;
}> {
	const { rows } = await client.query<{
		erased_at: Date;
		profiles: number;
		consents: number;
	}>({
		name: "segue-write-tombstones",
		text: `with profile as (
			delete from profiles p where p.unit = any ($2::text[]) returning 1
		), consent as (
			delete from consents c where c.unit = any ($2::text[]) returning 1
		), tombstone as (
			insert into tombstones as t (unit_key, live_key, erased_at)
			select k.unit_key, k.live_key, date_trunc('milliseconds', clock_timestamp())
			from unnest($1::bytea[], $3::bytea[]) as k (unit_key, live_key) order by k.unit_key
			on conflict (unit_key) do update set erased_at = greatest(t.erased_at, excluded.erased_at), live_key = excluded.live_key
			returning t.erased_at
		)
		select t.erased_at, (select count(*) from profile) as profiles,
			(select count(*) from consent) as consents from tombstone t`,
		values: [keys, units, liveKeys],
	});
	return {
		erasedAt: Math.max(...rows.map((row) => row.erased_at.getTime())),
		profiles: rows[0]?.profiles ?? 0,
		consents: rows[0]?.consents ?? 0,
	};
}

/** What there is before anything is taken out. Nobody changes it behind the gate. */
export interface Outlook {
	/** The first of the units' decisions, in the order of ids, that does not come out with the `most` before it; null where all do. */
	readonly bound: string | null;
	/** The instant before which the log was folded away, milliseconds; null where nothing ever was. */
	readonly foldedBefore: number | null;
}

/** Most units' decisions are counted in the index alone. */
export async function readOutlook(
	client: pg.ClientBase,
	units: readonly string[],
	most: number,
): Promise<Outlook> {
	const { rows } = await client.query<
		Omit<Outlook, "bound"> & { readonly decisions: number }
	>({
		name: "segue-outlook-of-erasure",
		text: `select (select count(*) from (select from decisions d where d.unit = any ($1::text[]) limit $2 + 1) f) as decisions,
			(select (extract(epoch from (max(c.day) + 1)::timestamp at time zone 'utc') * 1000)::float8 from closed_days c) as "foldedBefore"`,
		values: [units, most],
	});
	const { decisions, ...outlook } = rows[0] as (typeof rows)[number];
	const bound = decisions > most ? await readBound(client, units, most) : null;
	return { ...outlook, bound };
}

async function readBound(
	client: pg.ClientBase,
	units: readonly string[],
	most: number,
): Promise<string | null> {
	const { rows } = await client.query<{ id: string }>({
		name: "segue-bound-of-erasure",
		text: "select d.id from decisions d where d.unit = any ($1::text[]) order by d.id offset $2 limit 1",
		values: [units, most],
	});
	return rows[0]?.id ?? null;
}

/** Of ids that events were taken from: the experiment of each one's decision, null where it has not come, and how many of those went, since nothing waits for them any more. */
export async function deleteEmptyPlaceholders(
	client: pg.ClientBase,
	ids: readonly string[],
): Promise<{
	readonly experimentOf: ReadonlyMap<string, string | null>;
	readonly waiting: number;
}> {
	if (ids.length === 0) return { experimentOf: new Map(), waiting: 0 };
	const { rows } = await client.query<{
		id: string;
		experiment: string | null;
		waiting: number;
	}>({
		name: "segue-erase-placeholders",
		text: `with gone as (
			delete from decision_states s where s.id = any ($1::uuid[]) and s.experiment is null
			and not exists (select from outcomes o where o.decision_id = s.id and o.decision_id = any ($1::uuid[])) returning 1
		)
		select s.id, s.experiment, (select count(*) from gone) as waiting from decision_states s where s.id = any ($1::uuid[])`,
		values: [ids],
	});
	return {
		experimentOf: new Map(rows.map((row) => [row.id, row.experiment])),
		waiting: rows[0]?.waiting ?? 0,
	};
}
