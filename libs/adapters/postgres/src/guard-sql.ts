import type pg from "pg";
import type { Side } from "#core/booking";
import type {
	BookMetric,
	GuardBook,
	GuardedUnit,
	GuardSums,
	SumsBySide,
} from "#core/guarding";
import type { Since } from "#usecases/guarding";

/** Statements on the guardrails' books, one action a function; guard-books.ts gives their order. */

export interface BookRecord {
	id: number;
	cursor: string;
	revision: number;
}

/** Clocks of deciders may be behind by so much. */
export const CLOCKS_APART_MS = 5 * 60_000;

/** A book that is new counts from the instant on, as the clocks of deciders have it. */
export async function openBook(
	client: pg.ClientBase,
	experiment: string,
	since: Since,
	{ withinMs, metrics }: GuardBook,
): Promise<BookRecord | null> {
	await client.query(
		`insert into guard_books (experiment, since, within_ms, metrics, cursor, revision)
		select $1, $2, $3, $5, segue_id_floor($4),
			coalesce((select r.revision from revisions r where r.experiment = $1), 0)
		where not exists (select from guard_books b where b.experiment = $1 and b.since = $2 and b.within_ms = $3)
		on conflict do nothing`,
		[
			experiment,
			since.id,
			withinMs,
			new Date(since.at - CLOCKS_APART_MS),
			JSON.stringify(metrics),
		],
	);
	const { rows } = await client.query<BookRecord>(
		`select b.id, b.cursor, b.revision from guard_books b
		where b.experiment = $1 and b.since = $2 and b.within_ms = $3 for update skip locked`,
		[experiment, since.id, withinMs],
	);
	return rows[0] ?? null;
}

export async function readUnits(
	client: pg.ClientBase,
	book: number,
	units: readonly string[],
): Promise<readonly GuardedUnit[]> {
	const { rows } = await client.query<{
		side: Side;
		unit: string;
		n: number[];
		c: number[];
	}>(
		`select u.side, u.unit, u.n::float8[] as n, u.c::float8[] as c from guard_units u
		where u.book = $1 and u.unit = any ($2::text[])`,
		[book, units],
	);
	return rows;
}

export async function writeUnits(
	client: pg.ClientBase,
	book: number,
	units: readonly GuardedUnit[],
): Promise<void> {
	await client.query(
		`insert into guard_units (book, unit, side, n, c)
		select $1, r.unit, r.side, r.n, r.c
		from jsonb_to_recordset($2::jsonb) as r (unit text, side text, n bigint[], c bigint[])
		on conflict (book, unit, side) do update set n = excluded.n, c = excluded.c`,
		[book, JSON.stringify(units)],
	);
}

export async function addToGuardSums(
	client: pg.ClientBase,
	book: number,
	sums: readonly GuardSums[],
): Promise<void> {
	const rows = sums.map(({ side, column, ...moments }) => ({
		side,
		metric: column,
		...Object.fromEntries(
			Object.entries(moments).map(([name, value]) => [name, String(value)]),
		),
	}));
	await client.query(
		`insert into guard_sums as s (book, side, metric, units, n, c, nn, nc, cc)
		select $1, r.side, r.metric, r.units, r.n, r.c, r.nn, r.nc, r.cc
		from jsonb_to_recordset($2::jsonb)
			as r (side text, metric integer, units numeric, n numeric, c numeric, nn numeric, nc numeric, cc numeric)
		on conflict (book, side, metric) do update set units = s.units + excluded.units, n = s.n + excluded.n,
			c = s.c + excluded.c, nn = s.nn + excluded.nn, nc = s.nc + excluded.nc, cc = s.cc + excluded.cc`,
		[book, JSON.stringify(rows)],
	);
}

/** Of each of so many metrics. */
export async function readGuardSums(
	client: Pick<pg.ClientBase, "query">,
	book: number,
	metrics: number,
): Promise<readonly SumsBySide[]> {
	const { rows } = await client.query<{
		side: Side;
		metric: number;
		units: string;
		n: string;
		c: string;
		nn: string;
		nc: string;
		cc: string;
	}>(
		"select s.side, s.metric, s.units, s.n, s.c, s.nn, s.nc, s.cc from guard_sums s where s.book = $1",
		[book],
	);
	return Array.from({ length: metrics }, (_, column) =>
		Object.fromEntries(
			rows
				.filter(({ metric }) => metric === column)
				.map(({ side, metric: _, ...moments }) => [side, moments]),
		),
	);
}

export async function moveBook(
	client: pg.ClientBase,
	book: number,
	cursor: string,
	revision: number,
): Promise<void> {
	await client.query(
		"update guard_books set cursor = $2, revision = $3, counted_at = clock_timestamp() where id = $1",
		[book, cursor, revision],
	);
}

/** Takes units out of all books. Returns them by book, with what the book's columns are of. */
export async function takeUnits(
	client: pg.ClientBase,
	units: readonly string[],
): Promise<
	ReadonlyMap<
		number,
		{
			readonly metrics: readonly BookMetric[];
			readonly units: readonly GuardedUnit[];
		}
	>
> {
	const { rows } = await client.query<
		GuardedUnit & { book: number; metrics: BookMetric[] }
	>({
		name: "segue-erase-guarded",
		text: `with gone as (
			delete from guard_units u where u.unit = any ($1::text[]) returning u.book, u.side, u.unit, u.n::float8[] as n, u.c::float8[] as c
		)
		select g.book, g.side, g.unit, g.n, g.c, b.metrics from gone g join guard_books b on b.id = g.book order by g.book`,
		values: [units],
	});
	const books = new Map<
		number,
		{ metrics: BookMetric[]; units: GuardedUnit[] }
	>();
	for (const { book, metrics, ...unit } of rows) {
		const own = books.get(book) ?? { metrics, units: [] };
		own.units.push(unit);
		books.set(book, own);
	}
	return books;
}
