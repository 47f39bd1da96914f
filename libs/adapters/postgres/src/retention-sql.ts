import type pg from "pg";
import type { DayCounts, SweptRows } from "#usecases/retaining";
import { CLOSED_SHARD, LOG_BEGINS } from "./closed-sums.js";
import type { Database } from "./database.js";
import type { ChunkRecord } from "./sums-chunks.js";

/** The statements of retention, one action a function; retention.ts gives their order. `day` is a UTC day, `2026-01-05`. */

type Query = Pick<Database, "query">;

const PARTITIONED = ["decision_states", "decisions", "outcomes", "signals"];
const AT_ONCE = 5_000;

/** Names of partitions are the day's digits; nothing else of it gets into a statement. */
function suffix(day: string): string {
	if (!/^\d{4}-\d{2}-\d{2}$/.test(day))
		throw new RangeError(`"${day}" is no day: write it as 2026-01-05.`);
	return `_${day.replaceAll("-", "")}`;
}

export async function readDays(
	database: Query,
	before: string,
): Promise<readonly string[]> {
	const rows = await database.query<{ day: string }>(
		`select to_char(p.day, 'YYYY-MM-DD') as day
		from pg_inherits i join pg_class c on c.oid = i.inhrelid
		cross join lateral (select to_date(right(c.relname, 8), 'YYYYMMDD') as day) p
		where i.inhparent = 'decisions'::regclass and c.relname ~ '^decisions_[0-9]{8}$' and p.day < $1::date
		order by p.day`,
		[before],
	);
	return rows.map((row) => row.day);
}

export async function countDay(
	database: Query,
	day: string,
): Promise<DayCounts> {
	const at = suffix(day);
	const [row] = await database.query<{
		decisions: number;
		outcomes: number;
		signals: number;
		waiting: number;
	}>(
		`select (select count(*) from decisions${at}) as decisions, (select count(*) from outcomes${at}) as outcomes,
			(select count(*) from signals${at}) as signals,
			(select count(*) from decision_states${at} s where s.experiment is null) as waiting`,
	);
	return row ?? { decisions: 0, outcomes: 0, signals: 0, waiting: 0 };
}

export async function moveHorizon(
	client: pg.ClientBase,
	before: string,
): Promise<void> {
	await client.query(
		`update installation set horizon = greatest(horizon, segue_id_floor($1::date::timestamp at time zone 'utc'))`,
		[before],
	);
}

/** Buckets of sums that lie in the day: their widths divide a day, so none lies in two. */
const bucketsOfDay = `from sums s join (
		select distinct on (d.experiment, d.version) d.experiment, d.version, d.bucket_ms
		from experiment_definitions d order by d.experiment, d.version, d.id desc
	) w on w.experiment = s.experiment and w.version = s.version
	where s.bucket * w.bucket_ms >= extract(epoch from $1::date::timestamp at time zone 'utc') * 1000
	and s.bucket * w.bucket_ms < extract(epoch from ($1::date + 1)::timestamp at time zone 'utc') * 1000`;

export async function readSumsOfDay(
	database: Query,
	day: string,
): Promise<readonly ChunkRecord[]> {
	return database.query<ChunkRecord>(
		`select s.experiment, s.version, s.arm, s.bucket, s.shard, s.chunk, s.data ${bucketsOfDay}`,
		[day],
	);
}

/** Locks and returns all rows of a few buckets that learners' or the eraser's shards still have a part of. */
export async function takeUnmerged(
	client: pg.ClientBase,
	day: string,
	most: number,
): Promise<readonly ChunkRecord[]> {
	const { rows } = await client.query<ChunkRecord>(
		`select s.experiment, s.version, s.arm, s.bucket, s.shard, s.chunk, s.data
		from sums s join (
			select distinct s.experiment, s.version, s.arm, s.bucket ${bucketsOfDay} and s.shard <> ${CLOSED_SHARD} limit $2
		) u on u.experiment = s.experiment and u.version = s.version and u.arm = s.arm and u.bucket = s.bucket
		order by s.experiment, s.version, s.arm, s.bucket, s.shard, s.chunk
		for update of s`,
		[day, most],
	);
	return rows;
}

/** Puts one shard in the place of all. */
export async function putMerged(
	client: pg.ClientBase,
	batch: number,
	merged: readonly Omit<ChunkRecord, "shard">[],
): Promise<void> {
	const values = [
		merged.map((row) => row.experiment),
		merged.map((row) => row.version),
		merged.map((row) => row.arm),
		merged.map((row) => row.bucket),
	];
	await client.query(
		`delete from sums s using unnest($1::text[], $2::int[], $3::text[], $4::bigint[]) as r (experiment, version, arm, bucket)
		where s.experiment = r.experiment and s.version = r.version and s.arm = r.arm and s.bucket = r.bucket`,
		values,
	);
	await client.query(
		`insert into sums (experiment, version, arm, bucket, shard, chunk, batch, data)
		select r.experiment, r.version, r.arm, r.bucket, ${CLOSED_SHARD}, r.chunk, $7, r.data
		from unnest($1::text[], $2::int[], $3::text[], $4::bigint[], $5::smallint[], $6::bytea[])
			as r (experiment, version, arm, bucket, chunk, data)`,
		[
			...values,
			merged.map((row) => row.chunk),
			merged.map((row) => row.data),
			batch,
		],
	);
}

/** False where some bucket of the day has another shard than the merged one. */
export async function isMerged(
	client: pg.ClientBase,
	day: string,
): Promise<boolean> {
	const { rows } = await client.query<{ open: boolean }>(
		`select exists (select 1 ${bucketsOfDay} and s.shard <> ${CLOSED_SHARD}) as open`,
		[day],
	);
	return rows[0]?.open === false;
}

/** Returns how many buckets were closed. */
export async function closeSums(
	client: pg.ClientBase,
	day: string,
): Promise<number> {
	const { rowCount } = await client.query(
		`insert into closed_sums (experiment, version, arm, bucket, data)
		select s.experiment, s.version, s.arm, s.bucket, string_agg(s.data, '' order by s.chunk)
		${bucketsOfDay}
		group by s.experiment, s.version, s.arm, s.bucket`,
		[day],
	);
	return rowCount ?? 0;
}

export async function isThere(
	client: pg.ClientBase,
	day: string,
): Promise<boolean> {
	const { rows } = await client.query<{ there: boolean }>(
		"select to_regclass($1) is not null as there",
		[`decisions${suffix(day)}`],
	);
	return rows[0]?.there === true;
}

/** Events of the day whose decision never came go, and are counted as expired: behind the horizon it cannot come any more. */
export async function expireWaiting(
	client: pg.ClientBase,
	day: string,
): Promise<void> {
	const at = suffix(day);
	await client.query(
		`with expired as (
			delete from outcomes${at} o using decision_states${at} s
			where s.experiment is null and o.decision_id = s.id returning 1
		)
		select segue_count_verdicts(${CLOSED_SHARD}, array['-', '-'], array['event', 'event'],
			array['unknown decision (waiting)', 'unknown decision (expired)'], array[-count(*), count(*)])
		from expired having count(*) > 0`,
	);
}

/** Each table is waited for no longer than the lock timeout, since whoever reads the log waits behind it. */
export async function dropDay(
	client: pg.ClientBase,
	day: string,
	counts: DayCounts,
): Promise<void> {
	for (const table of PARTITIONED)
		await client.query(`drop table if exists ${table}${suffix(day)}`);
	await client.query(
		`insert into closed_days (day, decisions, outcomes, signals, waiting) values ($1, $2, $3, $4, $5)
		on conflict (day) do nothing`,
		[day, counts.decisions, counts.outcomes, counts.signals, counts.waiting],
	);
}

/** Rows of days before the horizon outside the partitions. A revision that old has no row of the log left under its batch. */
const leftOver: Readonly<Record<keyof SweptRows, string>> = {
	requests: `delete from requests r where r.ctid = any (array(
		select o.ctid from requests o, installation i where o.decision_id < i.horizon limit ${AT_ONCE}
	))`,
	deadLetters: `delete from dead_letters l where l.id = any (array(
		select o.id from dead_letters o, installation i
		where o.received_at < to_timestamp(('x' || substr(replace(i.horizon::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0)
		order by o.id limit ${AT_ONCE}
	))`,
	revisions: `delete from revision_log g where g.ctid = any (array(
		select o.ctid from revision_log o join revisions r on r.experiment = o.experiment, installation i
		where o.revision < r.floor and o.committed_at
			< to_timestamp(('x' || substr(replace(i.horizon::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0) - interval '1 day'
		limit ${AT_ONCE}
	))`,
};

export async function sweepLeftOver(database: Query): Promise<SweptRows> {
	const swept = { requests: 0, deadLetters: 0, revisions: 0 };
	for (const name of Object.keys(swept) as (keyof SweptRows)[])
		for (let more = true; more; ) {
			const [row] = await database.query<{ n: number }>(
				`with gone as (${leftOver[name]} returning 1) select count(*)::int as n from gone`,
			);
			swept[name] += row?.n ?? 0;
			more = row?.n === AT_ONCE;
		}
	await database.query(
		"delete from open_windows w using installation i where w.decision_id < i.horizon",
	);
	await forgetBooked(database);
	await forgetBlocks(database);
	return swept;
}

/** What is kept of units that the log knows nothing of any more; their part of the sums stays, and names nobody. */
async function forgetBooked(database: Query): Promise<void> {
	await database.query(
		`delete from booking_unbooked b where b.decision_id < ${LOG_BEGINS}`,
	);
	for (let more = true; more; ) {
		const [row] = await database.query<{ n: number }>(
			`with gone as (
				delete from booking_units u where u.ctid = any (array(
					select o.ctid from booking_units o where o.last_id < ${LOG_BEGINS} limit ${AT_ONCE}
				)) returning experiment
			), counted as (
				update bookings b set forgotten = b.forgotten + g.n
				from (select experiment, count(*) as n from gone group by experiment) g where b.experiment = g.experiment
			) select count(*)::int as n from gone`,
		);
		more = row?.n === AT_ONCE;
	}
}

/** Weights that no decision of the log was scored by: those after them began before the log does. */
async function forgetBlocks(database: Query): Promise<void> {
	for (let more = true; more; ) {
		const [row] = await database.query<{ n: number }>(
			`with gone as (
				delete from booking_blocks b where b.ctid = any (array(
					select o.ctid from booking_blocks o where exists (
						select from booking_blocks n where n.experiment = o.experiment and n.version = o.version and n.run = o.run
						and n.side = o.side and n.first_id > o.first_id and n.first_id < ${LOG_BEGINS}
					) limit ${AT_ONCE}
				)) returning 1
			) select count(*)::int as n from gone`,
		);
		more = row?.n === AT_ONCE;
	}
}

/** Experiments of which decisions of the day, or what lately happened to them, are not booked. */
export async function readUnbooked(
	database: Query,
	day: string,
): Promise<readonly string[]> {
	const rows = await database.query<{ experiment: string }>(
		`select b.experiment from bookings b
		where exists (
			select from decisions${suffix(day)} d where d.experiment = b.experiment and d.id > b.cursor
		) or exists (
			select from revision_log l where l.experiment = b.experiment and l.revision > b.revision
			and l.committed_at < clock_timestamp() - interval '1 minute'
		) order by b.experiment`,
	);
	return rows.map(({ experiment }) => experiment);
}
