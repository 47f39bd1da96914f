import type { JsonObject } from "#core/experiment";
import type {
	ChangedUnits,
	ProfileStore,
	StoredProfile,
	UnitChanges,
} from "#usecases/profiling";
import { GATE } from "./advisory-locks.js";
import type { Database } from "./database.js";

/** Changes named in one answer; more mean that profiles are being put by thousands, and whoever asks forgets all. */
const MOST_CHANGED = 5_000;

interface ProfileRecord {
	unit: string;
	values: JsonObject;
	updated_at: number;
	bytes: number;
}

const columns = `p.unit, p.values, (extract(epoch from p.updated_at) * 1000)::float8 as updated_at, octet_length(p.values::text) as bytes`;

/**
 * The gate is shared with batches and other puts: an erasure comes whole before or after. The instant is taken once the gate and the
 * row are held, so what an erasure removes was put before it, and it is never long before the commit. Beside a clock set back it grows
 * all the same. One statement, so that nothing is held while this process stands still.
 */
const putSql = `with gate as materialized (select pg_advisory_xact_lock_shared(${GATE}, 1))
	insert into profiles as p (unit, values, updated_at)
	select $1, $2::jsonb, clock_timestamp() from gate
	on conflict (unit) do update set values = excluded.values,
		updated_at = greatest(clock_timestamp(), p.updated_at + interval '1 microsecond')
	returning ${columns}`;

const changedSql = `select (extract(epoch from clock_timestamp()) * 1000)::float8 as now, c.unit, c.updated_at
	from (select) as one left join lateral (
		select p.unit, (extract(epoch from p.updated_at) * 1000)::float8 as updated_at from profiles p
		where p.updated_at > to_timestamp($1::float8 / 1000.0) order by p.updated_at limit $2 + 1
	) as c on true`;

/** The table `profiles`. */
export class PostgresProfiles implements ProfileStore, UnitChanges {
	constructor(
		private readonly database: Database,
		private readonly mostChanged = MOST_CHANGED,
	) {}

	async put(unit: string, values: JsonObject): Promise<StoredProfile> {
		const [row] = await this.database.query<ProfileRecord>(
			putSql,
			[unit, JSON.stringify(values)],
			"segue-put-profile",
		);
		return toProfile(row as ProfileRecord);
	}

	async read(
		units: readonly string[],
	): Promise<ReadonlyMap<string, StoredProfile>> {
		const rows = await this.database.query<ProfileRecord>(
			`select ${columns} from profiles p where p.unit = any ($1::text[])`,
			[units],
			"segue-read-profiles",
		);
		return new Map(rows.map((row) => [row.unit, toProfile(row)]));
	}

	async changedSince(instant: number | null): Promise<ChangedUnits> {
		const rows = await this.database.query<{
			now: number;
			unit: string | null;
			updated_at: number;
		}>(changedSql, [instant, this.mostChanged], "segue-changed-profiles");
		const changed = rows.flatMap(({ unit, updated_at }) =>
			unit === null ? [] : [{ unit, updatedAt: updated_at }],
		);
		return {
			now: rows[0]?.now ?? 0,
			changed: changed.length > this.mostChanged ? null : changed,
		};
	}
}

function toProfile({
	values,
	updated_at,
	bytes,
}: ProfileRecord): StoredProfile {
	return { values, updatedAt: updated_at, bytes };
}
