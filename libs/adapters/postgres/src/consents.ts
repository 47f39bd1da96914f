import type { Consent, StandingConsent } from "#core/privacy";
import type { ConsentStore } from "#usecases/consenting";
import type { ChangedUnits, Kept, UnitChanges } from "#usecases/profiling";
import { GATE } from "./advisory-locks.js";
import type { Database } from "./database.js";

/** Changes named in one answer; more mean that consents are being put by thousands, and whoever asks forgets all. */
const MOST_CHANGED = 5_000;

interface ConsentRecord {
	unit: string;
	answers: Consent["answers"];
	jurisdiction: string | null;
	age_at_least: number | null;
	since: number;
	updated_at: number;
}

const columns = `c.unit, c.answers, c.jurisdiction, c.age_at_least, (extract(epoch from c.since) * 1000)::float8 as since,
	(extract(epoch from c.updated_at) * 1000)::float8 as updated_at`;

/**
 * Like a profile's put (profiles.ts): under the shared gate, in one statement. What the unit allows no longer leaves its profile in the
 * same commit.
 */
const putSql = `with gate as materialized (select pg_advisory_xact_lock_shared(${GATE}, 1)),
	stripped as (
		update profiles p set values = p.values - $5::text[],
			updated_at = greatest(clock_timestamp(), p.updated_at + interval '1 microsecond')
		from gate where p.unit = $1 and p.values ?| $5::text[]
	)
	insert into consents as c (unit, answers, jurisdiction, age_at_least, since, updated_at)
	select $1, $2::jsonb, $3, $4, n.now, n.now from gate, (select clock_timestamp() as now from gate) as n
	on conflict (unit) do update set answers = excluded.answers, jurisdiction = excluded.jurisdiction,
		age_at_least = excluded.age_at_least,
		since = case when (c.answers, c.jurisdiction, c.age_at_least) is not distinct from
				(excluded.answers, excluded.jurisdiction, excluded.age_at_least)
			then c.since else greatest(clock_timestamp(), c.updated_at + interval '1 microsecond') end,
		updated_at = greatest(clock_timestamp(), c.updated_at + interval '1 microsecond')
	returning ${columns}`;

/**
 * A profile that is put for the first time at the same moment is not seen by the statement above. It is by this one, which runs after
 * that commit; or who puts the profile, looking at the consent after its own commit, sees this consent.
 */
const stripSql = `update profiles p set values = p.values - $2::text[],
		updated_at = greatest(clock_timestamp(), p.updated_at + interval '1 microsecond')
	where p.unit = $1 and p.values ?| $2::text[]`;

const changedSql = `select (extract(epoch from clock_timestamp()) * 1000)::float8 as now, c.unit, c.updated_at
	from (select) as one left join lateral (
		select s.unit, (extract(epoch from s.updated_at) * 1000)::float8 as updated_at from consents s
		where s.updated_at > to_timestamp($1::float8 / 1000.0) order by s.updated_at limit $2 + 1
	) as c on true`;

/** The table `consents`. */
export class PostgresConsents implements ConsentStore, UnitChanges {
	constructor(
		private readonly database: Database,
		private readonly mostChanged = MOST_CHANGED,
	) {}

	async put(
		unit: string,
		{ answers, jurisdiction, ageAtLeast }: Consent,
		withheld: readonly string[],
	): Promise<Kept<StandingConsent>> {
		const [row] = await this.database.query<ConsentRecord>(
			putSql,
			[unit, JSON.stringify(answers), jurisdiction, ageAtLeast, withheld],
			"segue-put-consent",
		);
		if (withheld.length > 0)
			await this.database.query(
				stripSql,
				[unit, withheld],
				"segue-strip-profile",
			);
		return toKept(row as ConsentRecord);
	}

	async read(
		units: readonly string[],
	): Promise<ReadonlyMap<string, Kept<StandingConsent>>> {
		const rows = await this.database.query<ConsentRecord>(
			`select ${columns} from consents c where c.unit = any ($1::text[])`,
			[units],
			"segue-read-consents",
		);
		return new Map(rows.map((row) => [row.unit, toKept(row)]));
	}

	async changedSince(instant: number | null): Promise<ChangedUnits> {
		const rows = await this.database.query<{
			now: number;
			unit: string | null;
			updated_at: number;
		}>(changedSql, [instant, this.mostChanged], "segue-changed-consents");
		const changed = rows.flatMap(({ unit, updated_at }) =>
			unit === null ? [] : [{ unit, updatedAt: updated_at }],
		);
		return {
			now: rows[0]?.now ?? 0,
			changed: changed.length > this.mostChanged ? null : changed,
		};
	}
}

/** A purpose and its answer in memory. */
const BYTES_AN_ANSWER = 64;

function toKept({
	answers,
	jurisdiction,
	age_at_least,
	since,
	updated_at,
}: ConsentRecord): Kept<StandingConsent> {
	return {
		values: { answers, jurisdiction, ageAtLeast: age_at_least, since },
		updatedAt: updated_at,
		bytes: BYTES_AN_ANSWER * (1 + Object.keys(answers).length),
	};
}
