import type { Database } from "#adapters/postgres";
import type { Metric } from "#core/metrics";

/** Of the rollups made, which are of a size that so many decisions leave, whatever is in them. */
export interface RollupsSize {
	readonly decisions: number;
	/** Units of ten decisions each or so. */
	readonly units: number;
	readonly days: number;
	readonly arms: number;
	readonly epochs: number;
}

/**
 * Rollups as booking leaves them after so many decisions, made by the database itself: the report reads these tables and nothing else, so
 * their size is all that counts.
 */
export async function makeRollups(
	database: Database,
	experiment: string,
	metrics: readonly Metric[],
	{ decisions, units, days, arms, epochs }: RollupsSize,
): Promise<void> {
	const run = async (text: string, values: unknown[]) => {
		await database.query(text, values);
	};
	const slices = [
		"all",
		"week1",
		...["phone", "desktop", "speaker"].map(
			(level) => `segment:device=${level}`,
		),
		...Array.from({ length: arms }, (_, i) => `arm:arm-${i}`),
	];
	const moments =
		"array(select (1000000 * random())::bigint::numeric from generate_series(1, $3) where s.slice is not null)";
	await run(
		`insert into bookings (experiment, cursor, revision, closing_hour, newest_id, decisions, booked_at)
		values ($1, segue_id_floor(clock_timestamp()), 1, 0, segue_id_floor(clock_timestamp()), $2, clock_timestamp())
		on conflict (experiment) do update set decisions = excluded.decisions`,
		[experiment, decisions],
	);
	await run(
		`insert into booking_sums (experiment, version, run, epoch, slice, side, units, moments, covariate)
		select $1, 1, 9, e, s.slice, side, 1000, ${moments}, '{}'
		from generate_series(1, $4) e, unnest($2::text[]) as s (slice), unnest(array['policy', 'control']) as side`,
		[experiment, slices, 6 * metrics.length, epochs],
	);
	await run(
		`insert into booking_looks (experiment, version, run, epoch, at, side, units, first_in, moments)
		select $1, 1, 9, e, clock_timestamp() - make_interval(hours => s.slice), side, 1000, 1000, ${moments}
		from generate_series(1, $4) e, generate_series(1, $2) as s (slice), unnest(array['policy', 'control']) as side`,
		[experiment, 24 * days, 6 * metrics.length, epochs],
	);
	await run(
		`insert into booking_hours (experiment, version, run, epoch, hour, "group", arm, decisions, shown, learned, reward)
		select $1, 1, 9, 1, date_trunc('hour', clock_timestamp()) - make_interval(hours => h), g, 'arm-' || a, 100, 90, 90, 40960
		from generate_series(1, $2) h, unnest(array['policy', 'control', 'outside']) g, generate_series(0, $3 - 1) a`,
		[experiment, 24 * days, arms],
	);
	await run(
		`insert into booking_draws (experiment, version, run, epoch, side, arm, eligible, drawn, expected, variance)
		select $1, 1, 9, e, side, 'arm-' || a, 1000, 100, 109951162777600, 98956046499840
		from generate_series(1, $2) e, unnest(array['policy', 'control']) side, generate_series(0, $3 - 1) a`,
		[experiment, epochs, arms],
	);
	await run(
		`insert into booking_runs (experiment, version, run, metrics, scores)
		select r.experiment, r.version, 9, r.metrics, r.scores from booking_runs r where r.experiment = $1 and r.run <> 9 limit 1`,
		[experiment],
	);
	await run(
		`insert into booking_units (experiment, version, run, epoch, unit, first_hour, last_id, entry)
		select $1, 1, 9, 1, 'unit-' || u, 0, segue_id_floor(clock_timestamp()), repeat('[1,4096,1,4096]', 40)
		from generate_series(1, $2) u`,
		[experiment, units],
	);
}
