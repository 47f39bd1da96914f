import type { Database } from "#adapters/postgres";
import { BUILT_IN } from "#core/metrics";

/** Of the rollups made, which are of a size that so many decisions leave. */
export interface RollupsSize {
	readonly decisions: number;
	/** Rows of units, which no report reads. */
	readonly units: number;
	readonly days: number;
	readonly arms: number;
	readonly epochs: number;
}

const LEVELS = ["phone", "tablet", "desktop", "speaker"];
/** Units of a group and epoch; fewer where they are told apart by arm. */
const UNITS = 100_000;
/** Of a unit n, C, n², nC, C² on average: ten decisions or so, a third of them worth 1, units that differ. */
const OF_A_UNIT = [1, 10, 3 * 4096, 110, 33 * 4096, 12 * 4096 ** 2];

/**
 * Rollups as booking leaves them after so many decisions, of version and run 1, made by the database itself: the report reads these tables
 * and nothing else. Every arm was drawn in every hour in each group, in one epoch after another.
 */
export async function makeRollups(
	database: Database,
	experiment: string,
	{ decisions, units, days, arms, epochs }: RollupsSize,
): Promise<void> {
	const run = async (text: string, values: unknown[]) => {
		await database.query(text, values);
	};
	const slices = [
		"all",
		"week1",
		...LEVELS.map((level) => `segment:device=${level}`),
		...Array.from({ length: arms }, (_, i) => `arm:arm-${i}`),
	];
	const moments = (of: string) =>
		`array(select (m.value * ${of})::bigint::numeric from generate_series(1, $3) as k (metric),
			unnest($4::float8[]) with ordinality as m (value, place) order by k.metric, m.place)`;
	await run(
		`insert into bookings (experiment, cursor, revision, closing_hour, newest_id, decisions, booked_at)
		values ($1, segue_id_floor(clock_timestamp()), 1, 0, segue_id_floor(clock_timestamp()), $2, clock_timestamp())`,
		[experiment, decisions],
	);
	await run(
		`insert into booking_sums (experiment, version, run, epoch, slice, side, units, moments, covariate)
		select $1, 1, 1, e, s.slice, side, s.units, ${moments("s.units")}, '{}'
		from generate_series(1, $5) e, unnest($2::text[], $6::int[]) as s (slice, units), unnest(array['policy', 'control']) as side`,
		[
			experiment,
			slices,
			BUILT_IN.length,
			OF_A_UNIT,
			epochs,
			slices.map((slice) => (slice.startsWith("arm:") ? UNITS / 10 : UNITS)),
		],
	);
	await run(
		`insert into booking_sums (experiment, version, run, epoch, slice, side, units, moments, covariate)
		select $1, 1, 1, e, 'first', side, $2, '{}', '{}' from generate_series(1, $3) e, unnest(array['policy', 'control']) as side`,
		[experiment, UNITS, epochs],
	);
	await run(
		`insert into booking_looks (experiment, version, run, epoch, at, side, units, first_in, moments)
		select $1, 1, 1, 1 + (h - 1) * $5 / $2, date_trunc('hour', clock_timestamp()) - make_interval(hours => $2 - h), side,
			h * $6 / $2, h * $6 / $2, ${moments("(h * $6 / $2)")}
		from generate_series(1, $2) h, unnest(array['policy', 'control']) as side`,
		[experiment, 24 * days, BUILT_IN.length, OF_A_UNIT, epochs, UNITS],
	);
	await run(
		`insert into booking_hours (experiment, version, run, epoch, hour, "group", arm, decisions, shown, learned, reward)
		select $1, 1, 1, 1 + (h - 1) * $4 / $2, date_trunc('hour', clock_timestamp()) - make_interval(hours => $2 - h), g, 'arm-' || a,
			100, 90, 90, 30 * 4096
		from generate_series(1, $2) h, unnest(array['policy', 'control']) g, generate_series(0, $3 - 1) a`,
		[experiment, 24 * days, arms, epochs],
	);
	await run(
		`insert into booking_days (experiment, version, run, epoch, day, "group", arm, decisions, shown, learned, reward)
		select h.experiment, h.version, h.run, h.epoch, date_trunc('day', h.hour, 'UTC'), h."group", h.arm,
			sum(h.decisions), sum(h.shown), sum(h.learned), sum(h.reward)
		from booking_hours h where h.experiment = $1 group by 1, 2, 3, 4, 5, 6, 7`,
		[experiment],
	);
	await run(
		`insert into booking_draws (experiment, version, run, epoch, side, arm, eligible, drawn, expected, variance)
		select $1, 1, 1, e, side, 'arm-' || a, 1000, 1000 / $3, 1000 / $3 * (2 ^ 40)::numeric, 1000 / $3 * (2 ^ 40)::numeric
		from generate_series(1, $2) e, unnest(array['policy', 'control']) side, generate_series(0, $3 - 1) a`,
		[experiment, epochs, arms],
	);
	await run(
		"insert into booking_runs (experiment, version, run, metrics, scores) values ($1, 1, 1, $2, $3)",
		[experiment, JSON.stringify(BUILT_IN), JSON.stringify(scoresOf(arms))],
	);
	await run(
		`insert into booking_units (experiment, version, run, epoch, unit, first_hour, last_id, entry)
		select $1, 1, 1, 1, 'unit-' || u, 0, segue_id_floor(clock_timestamp()), repeat('[1,4096,1,4096]', 40)
		from generate_series(1, $2) u`,
		[experiment, units],
	);
}

/** Of arms drawn a thousand times each, and worth a third. */
function scoresOf(arms: number) {
	const keys = Array.from({ length: arms }, (_, i) => `arm-${i}`);
	const rows = 1_000 * arms;
	const h = 1 / arms;
	const sums = {
		rows,
		draws: 1_000,
		h: rows * h,
		hs: (rows * h) / 3,
		hh: rows * h * h,
		hhs: (rows * h * h) / 3,
		hhss: (rows * h * h * arms) / 3,
		w: 1_000,
		ww: 1_000,
	};
	const side = {
		rows,
		reciprocals: keys.map((key) => [key, { rows, sum: rows * arms }]),
		block: null,
	};
	return {
		arms: keys.map((key) => [key, sums]),
		sides: { policy: side, control: side },
	};
}
