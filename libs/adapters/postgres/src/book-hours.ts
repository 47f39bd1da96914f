import type { BookedHour } from "#core/booking";
import { STEPS } from "#core/metrics";

export type Query = <Row extends object>(
	text: string,
	values: readonly unknown[],
) => Promise<Row[]>;

/** As many spans of time as a report has room for, and as many numbers as it is quick with. */
const MOST_SPANS = 200;
const MOST_POINTS = 50_000;
/** In the order of their key epochs go with time, so either end is one row of the index. */
const BOOKED_HOURS = `from booking_hours h
	where h.experiment = $1 and h.version = $2 and h.run = $3 and h.decisions <> 0`;

/** Hours, or so many together as a report shows. Of the last hour by itself, so that how far they go is told as before. */
export function readHours(
	query: Query,
	key: readonly unknown[],
): Promise<BookedHour[]> {
	return query<BookedHour>(
		`with ends as (
			select (select h.hour ${BOOKED_HOURS} order by h.epoch, h.hour limit 1) as first,
				(select h.hour ${BOOKED_HOURS} order by h.epoch desc, h.hour desc limit 1) as last,
				(select max(d.n) from (
					select count(*) as n from booking_draws b
					where b.experiment = $1 and b.version = $2 and b.run = $3 group by b.epoch
				) d) as arms
		), spans as (
			select e.first, e.last, make_interval(hours => ceil(greatest(
				e.hours / $4::float8, e.hours * e.arms / $5::float8
			))::int) as width
			from (select *, 1 + extract(epoch from e.last - e.first)::float8 / 3600 as hours from ends e) e
		)
		select p.epoch, date_part('epoch', p.hour) * 1000 as hour, p."group", p.arm, p.decisions, p.shown, p.learned,
			p.reward::float8 / $6::float8 as reward
		from (
			select h.epoch, case when h.hour = s.last then h.hour else date_bin(s.width, h.hour, s.first) end as hour, h."group", h.arm,
				sum(h.decisions)::bigint as decisions, sum(h.shown)::bigint as shown, sum(h.learned)::bigint as learned, sum(h.reward) as reward
			from booking_hours h cross join spans s
			where h.experiment = $1 and h.version = $2 and h.run = $3 and h.decisions <> 0
			group by 1, 2, 3, 4
		) p order by p.hour, p.epoch, p."group", p.arm`,
		[...key, MOST_SPANS, MOST_POINTS, STEPS],
	);
}
