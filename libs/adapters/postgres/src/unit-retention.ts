import type { Database } from "./database.js";

/** How long rows of units are kept, by where the unit is, milliseconds; null: as long as they are wanted. */
export interface UnitSpans {
	readonly profile: number | null;
	/** Of what was given; a refusal stays, since without it something might be used again. */
	readonly consent: number | null;
	/** Of anything that names a unit, refusals too. */
	readonly ids: number | null;
}

export interface UnitRetention {
	readonly byJurisdiction: ReadonlyMap<string, UnitSpans>;
	/** Where nobody said where the unit is, or no rules are known for it. */
	readonly otherwise: UnitSpans;
}

export interface SweptUnits {
	readonly profiles: number;
	readonly consents: number;
	/** Consents that lost what was given and keep what was refused. */
	readonly stripped: number;
}

const AT_ONCE = 5_000;

/** Seconds of a row's own jurisdiction: of $1 and $2, or $3 where it has none of those. */
const spans = `left join unnest($1::text[], $2::float8[]) as k (jurisdiction, seconds) on k.jurisdiction = c.jurisdiction`;
const kept =
	"make_interval(secs => case when k.jurisdiction is null then $3::float8 else k.seconds end)";

const profilesSql = `delete from profiles p where p.ctid = any (array(
		select o.ctid from profiles o left join consents c on c.unit = o.unit ${spans}
		where o.updated_at < clock_timestamp() - ${kept} limit ${AT_ONCE}
	))`;
const refuses = "jsonb_path_exists(c.answers, '$.* ? (@ == false)')";
const gives = "jsonb_path_exists(c.answers, '$.* ? (@ == true)')";
const givenSql = `delete from consents d where d.ctid = any (array(
		select c.ctid from consents c ${spans}
		where c.updated_at < clock_timestamp() - ${kept} and not ${refuses} limit ${AT_ONCE}
	))`;
const idsSql = `delete from consents d where d.ctid = any (array(
		select c.ctid from consents c ${spans} where c.updated_at < clock_timestamp() - ${kept} limit ${AT_ONCE}
	))`;
/** Its instant stays: how long the unit's id may live counts from the last put. */
const stripSql = `update consents d set since = clock_timestamp(),
		answers = (select coalesce(jsonb_object_agg(e.key, e.value), '{}') from jsonb_each(d.answers) e where e.value = 'false')
	where d.ctid = any (array(
		select c.ctid from consents c ${spans}
		where c.updated_at < clock_timestamp() - ${kept} and ${refuses} and ${gives} limit ${AT_ONCE}
	))`;

/** Deletes profiles and consents that are older than their unit's jurisdiction keeps them, some at a time. */
export async function sweepUnits(
	database: Pick<Database, "query">,
	{ byJurisdiction, otherwise }: UnitRetention,
): Promise<SweptUnits> {
	const names = [...byJurisdiction.keys()];
	const sweep = async (sql: string, kind: keyof UnitSpans) => {
		const seconds = ({ [kind]: ms }: UnitSpans) =>
			ms === null ? null : ms / 1_000;
		const values = [
			names,
			names.map((name) => seconds(byJurisdiction.get(name) as UnitSpans)),
			seconds(otherwise),
		];
		let swept = 0;
		for (let more = true; more; ) {
			const [row] = await database.query<{ n: number }>(
				`with gone as (${sql} returning 1) select count(*)::int as n from gone`,
				values,
			);
			swept += row?.n ?? 0;
			more = row?.n === AT_ONCE;
		}
		return swept;
	};
	// Profiles first: a consent says where its unit is.
	const profiles = await sweep(profilesSql, "profile");
	const stripped = await sweep(stripSql, "consent");
	const consents =
		(await sweep(givenSql, "consent")) + (await sweep(idsSql, "ids"));
	return { profiles, consents, stripped };
}
