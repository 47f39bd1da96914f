import type pg from "pg";
import type { BookedHour, BookingChanges } from "#core/booking";
import { STEPS } from "#core/metrics";
import { epochsOf } from "./book-units.js";

/** Decisions over time, by the hour and by the day. */

export type Query = <Row extends object>(
	text: string,
	values: readonly unknown[],
) => Promise<Row[]>;

const HOUR_MS = 3_600_000;

export async function addHours(
	client: pg.ClientBase,
	experiment: string,
	hours: BookingChanges["hours"],
): Promise<void> {
	if (hours.length === 0) return;
	const values = [
		experiment,
		...epochsOf(hours),
		hours.map(({ hour }) => new Date(hour * HOUR_MS)),
		hours.map(({ group }) => group),
		hours.map(({ arm }) => arm),
		hours.map(({ decisions }) => decisions),
		hours.map(({ shown }) => shown),
		hours.map(({ learned }) => learned),
		hours.map(({ reward }) => reward),
	];
	const rows = `unnest($2::int[], $3::int[], $4::int[], $5::timestamptz[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[],
		$11::bigint[]) as r (version, run, epoch, hour, "group", arm, decisions, shown, learned, reward)`;
	await client.query({
		name: "segue-book-add-hours",
		text: `insert into booking_hours as h (experiment, version, run, epoch, hour, "group", arm, decisions, shown, learned, reward)
			select $1, r.version, r.run, r.epoch, r.hour, r."group", r.arm, r.decisions, r.shown, r.learned, r.reward from ${rows}
			on conflict (experiment, version, run, epoch, hour, "group", arm) do update set decisions = h.decisions + excluded.decisions,
				shown = h.shown + excluded.shown, learned = h.learned + excluded.learned, reward = h.reward + excluded.reward`,
		values,
	});
	await client.query({
		name: "segue-book-add-days",
		text: `insert into booking_days as d (experiment, version, run, epoch, day, "group", arm, decisions, shown, learned, reward)
			select $1, r.version, r.run, r.epoch, date_trunc('day', r.hour, 'UTC'), r."group", r.arm,
				sum(r.decisions), sum(r.shown), sum(r.learned), sum(r.reward) from ${rows} group by 2, 3, 4, 5, 6, 7
			on conflict (experiment, version, run, epoch, day, "group", arm) do update set decisions = d.decisions + excluded.decisions,
				shown = d.shown + excluded.shown, learned = d.learned + excluded.learned, reward = d.reward + excluded.reward`,
		values,
	});
}

/** As many spans of time as a report has room for, and as many numbers as it is quick with. */
const MOST_SPANS = 200;
const MOST_POINTS = 50_000;

interface Ends {
	/** The first hour and the last, milliseconds, and the last's epoch; null where nothing is booked. */
	readonly first: number | null;
	readonly last: number | null;
	readonly epoch: number | null;
	/** Arms and groups of an epoch at most. */
	readonly arms: number | null;
}

/** Hours, or as many together as a report shows. Of the last hour by itself, so that how far they go is told as it is. */
export async function readHours(
	query: Query,
	key: readonly unknown[],
): Promise<readonly BookedHour[]> {
	const { first, last, epoch, arms } = await readEnds(query, key);
	if (first === null || last === null) return [];
	const hours = 1 + (last - first) / HOUR_MS;
	const width = Math.ceil(
		Math.max(hours / MOST_SPANS, (hours * (arms ?? 1)) / MOST_POINTS),
	);
	const isByDay = width >= 24;
	const stride = isByDay ? 24 * Math.ceil(width / 24) : width;
	return query<BookedHour>(
		`with last as (
			select h.epoch, h."group", h.arm, h.decisions, h.shown, h.learned, h.reward from booking_hours h
			where h.experiment = $1 and h.version = $2 and h.run = $3 and h.epoch = $6 and h.hour = $5
		), counted as (
			${isByDay ? COUNTED_DAYS : COUNTED_HOURS}
			union all select l.epoch, $5::timestamptz, l."group", l.arm, -l.decisions, -l.shown, -l.learned, -l.reward from last l
		), spans as (
			select c.epoch, greatest($4::timestamptz, date_bin(make_interval(hours => $7), c.hour, $8)) as hour, c."group", c.arm,
				sum(c.decisions)::bigint as decisions, sum(c.shown)::bigint as shown, sum(c.learned)::bigint as learned,
				sum(c.reward)::bigint as reward
			from counted c group by 1, 2, 3, 4
			union all select l.epoch, $5::timestamptz, l."group", l.arm, l.decisions, l.shown, l.learned, l.reward from last l
		)
		select s.epoch, date_part('epoch', s.hour) * 1000 as hour, s."group", s.arm, s.decisions, s.shown, s.learned,
			s.reward / $9::float8 as reward
		from spans s where s.decisions <> 0 order by s.hour, s.epoch, s."group", s.arm`,
		[
			...key,
			new Date(first),
			new Date(last),
			epoch,
			stride,
			new Date(isByDay ? 0 : first),
			STEPS,
		],
	);
}

const COUNTED_HOURS = `select h.epoch, h.hour, h."group", h.arm, h.decisions, h.shown, h.learned, h.reward from booking_hours h
	where h.experiment = $1 and h.version = $2 and h.run = $3`;
const COUNTED_DAYS = `select d.epoch, d.day as hour, d."group", d.arm, d.decisions, d.shown, d.learned, d.reward from booking_days d
	where d.experiment = $1 and d.version = $2 and d.run = $3`;

/** In the order of their key epochs go with time, so either end is one row of the index. */
const BOOKED_HOURS = `from booking_hours h
	where h.experiment = $1 and h.version = $2 and h.run = $3 and h.decisions <> 0`;

async function readEnds(query: Query, key: readonly unknown[]): Promise<Ends> {
	const [ends] = await query<Ends>(
		`select date_part('epoch', f.hour) * 1000 as first, date_part('epoch', l.hour) * 1000 as last, l.epoch, (
			select max(d.n) from (
				select count(*) as n from booking_draws b
				where b.experiment = $1 and b.version = $2 and b.run = $3 group by b.epoch
			) d
		) as arms
		from (select h.hour ${BOOKED_HOURS} order by h.epoch, h.hour limit 1) f,
			(select h.epoch, h.hour ${BOOKED_HOURS} order by h.epoch desc, h.hour desc limit 1) l`,
		key,
	);
	return ends ?? { first: null, last: null, epoch: null, arms: null };
}
