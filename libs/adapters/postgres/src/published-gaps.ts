import type pg from "pg";
import type { Gap, GapsSeen, PublishedGaps } from "#usecases/watching";
import type { Database } from "./database.js";

const WATCH_LOCK = 7_304;
const MOST_SHOWN = 20;
const GIVE_UP = "7 days";
/** A decider with more holes than this is not followed in detail. */
const MOST_RANGES = 500;

interface GapRow {
	boot: string;
	first: number;
	last: number;
	packs: number;
	noticed_at: Date;
}

const gapColumns = `g.boot, lower(g.missing) as first, upper(g.missing) - 1 as last,
	segue_count_packs(g.missing) as packs, g.noticed_at`;

/** Every pack below the newest one of its decider that was not taken. */
const holes = "int8multirange(int8range(1, upper(p.taken))) - p.taken";

/** Finds holes in what deciders published. Which of several learners that look at once notes and tells them is settled by a lock. */
export class PostgresPublishedGaps implements PublishedGaps {
	constructor(private readonly database: Database) {}

	async look(graceMs: number): Promise<GapsSeen> {
		const found = { alarmed: [], recovered: 0, givenUp: [] };
		const changes = (await this.#somethingIsOpen())
			? await this.database.transaction((client) => note(client, graceMs))
			: found;
		return { ...(changes ?? found), ...(await this.#open()) };
	}

	/** The common case is that nothing is, which one query tells. */
	async #somethingIsOpen(): Promise<boolean> {
		const [row] = await this.database.query<{ open: boolean }>(
			`select exists (select from published p where not isempty(${holes}))
				or exists (select from published_gaps g where g.closed_at is null) as open`,
		);
		return row?.open ?? false;
	}

	async #open(): Promise<Pick<GapsSeen, "open" | "missing">> {
		const rows = await this.database.query<GapRow & { missing: number }>(
			`select ${gapColumns}, (sum(segue_count_packs(g.missing)) over ())::bigint as missing
			from published_gaps g where g.closed_at is null and g.alarmed_at is not null
			order by g.noticed_at, g.id limit $1`,
			[MOST_SHOWN],
		);
		return { open: rows.map(toGap), missing: rows[0]?.missing ?? 0 };
	}
}

type Changes = Pick<GapsSeen, "alarmed" | "recovered" | "givenUp">;

/** Null where another learner is at it. */
async function note(
	client: pg.ClientBase,
	graceMs: number,
): Promise<Changes | null> {
	const { rows } = await client.query<{ taken: boolean }>(
		"select pg_try_advisory_xact_lock($1) as taken",
		[WATCH_LOCK],
	);
	if (!rows[0]?.taken) return null;
	const recovered = await shrinkGaps(client);
	await openGaps(client);
	const alarmed = await alarmGaps(client, graceMs);
	return { recovered, alarmed, givenUp: await giveUpGaps(client) };
}

/** What arrived after all leaves its gap; an empty one is closed. Returns how many packs of alarmed gaps arrived. */
async function shrinkGaps(client: pg.ClientBase): Promise<number> {
	const { rows } = await client.query<{ recovered: number }>(
		`with filled as (
			update published_gaps g set missing = g.missing - p.taken,
				recovered = g.recovered + segue_count_packs(g.missing * p.taken),
				closed_at = case when isempty(g.missing - p.taken) then clock_timestamp() end
			from published_gaps was join published p on p.boot = was.boot
			where g.id = was.id and g.closed_at is null and g.missing && p.taken
			returning g.alarmed_at, segue_count_packs(was.missing * p.taken) as arrived
		)
		select coalesce(sum(f.arrived), 0)::bigint as recovered from filled f where f.alarmed_at is not null`,
	);
	return rows[0]?.recovered ?? 0;
}

async function openGaps(client: pg.ClientBase): Promise<void> {
	await client.query(
		`insert into published_gaps (boot, missing)
		select h.boot, h.missing from (
			select p.boot, ${holes} - coalesce((
				select range_agg(r) from published_gaps g, unnest(g.missing) as r
				where g.boot = p.boot and g.closed_at is null
			), '{}'::int8multirange) as missing
			from published p where not isempty(${holes})
		) h
		where not isempty(h.missing)`,
	);
}

async function alarmGaps(
	client: pg.ClientBase,
	graceMs: number,
): Promise<readonly Gap[]> {
	const { rows } = await client.query<GapRow>(
		`update published_gaps g set alarmed_at = clock_timestamp()
		where g.closed_at is null and g.alarmed_at is null
			and g.noticed_at <= clock_timestamp() - $1 * interval '1 millisecond'
		returning ${gapColumns}`,
		[graceMs],
	);
	return rows.map(toGap);
}

/** They count as taken from then on, so that the table stays small and an alarm does not last for ever. */
async function giveUpGaps(client: pg.ClientBase): Promise<readonly Gap[]> {
	const { rows } = await client.query<GapRow>(
		`with hopeless as (
			select g.id from published_gaps g join published p on p.boot = g.boot
			where g.closed_at is null and g.alarmed_at is not null
				and (g.noticed_at < clock_timestamp() - $1::interval
					or (select count(*) from unnest(p.taken)) > $2)
		), forgotten as (
			update published p set taken = p.taken + h.missing
			from (
				select g.boot, range_agg(r) as missing
				from published_gaps g join hopeless on hopeless.id = g.id, unnest(g.missing) as r group by g.boot
			) h
			where p.boot = h.boot
		)
		update published_gaps g set closed_at = clock_timestamp()
		from hopeless where hopeless.id = g.id
		returning ${gapColumns}`,
		[GIVE_UP, MOST_RANGES],
	);
	return rows.map(toGap);
}

/** Removes what tells nothing any more: closed gaps and deciders that ended, both a quarter of a year ago. */
export async function forgetPublished(
	database: Pick<Database, "query">,
): Promise<void> {
	await database.query(
		`with closed as (
			delete from published_gaps g where g.closed_at < clock_timestamp() - interval '90 days'
		)
		delete from published p where p.last_at < clock_timestamp() - interval '90 days'
			and not exists (select from published_gaps g where g.boot = p.boot and g.closed_at is null)`,
	);
}

function toGap({ boot, first, last, packs, noticed_at }: GapRow): Gap {
	return { boot, first, last, packs, noticedAt: noticed_at.getTime() };
}
