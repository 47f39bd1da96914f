import type { Turn } from "#core/booking";
import type { BookingState } from "#usecases/booking";
import type { Read } from "./book-rows.js";

/** How far an experiment is booked, as its row of `bookings` says; see migrations/0017_booking.sql. */

export interface StateRecord {
	experiment: string;
	cursor: string;
	revision: number;
	closing_hour: number;
	closed_up_to: number | null;
	newest_id: string;
	erasures: number;
	turns_since: number;
	visits_since: string;
	holds_since: number;
}

export const stateColumns =
	"b.experiment, b.cursor, b.revision, b.closing_hour, b.closed_up_to, b.newest_id, b.erasures, b.turns_since, b.visits_since, b.holds_since";

export const toState = (
	record: StateRecord,
	turns: readonly Turn[],
): BookingState => ({
	experiment: record.experiment,
	cursor: record.cursor,
	revision: record.revision,
	closings: {
		hour: record.closing_hour,
		after: record.closed_up_to,
		turns,
		turnsSince: record.turns_since,
		visitsSince: record.visits_since,
		holdsSince: record.holds_since,
	},
	newestId: record.newest_id,
	erasures: record.erasures,
});

/** Where the experiment's decisions were booked, from when on; `epoch` as `epochOf` names it. */
export function readTurns(
	read: Read,
	experiment: string,
): Promise<readonly Turn[]> {
	return read<{ at: number; epoch: string | null }>(
		`select (extract(epoch from t.created_at) * 1000)::float8 as at, t.epoch from (
			select s.*, lag(s.epoch) over (order by s.id) as before from (
				select d.id, d.created_at, case when d.state = 'running' and not d.held
					then concat_ws(' ', d.version, coalesce(d.booked_run, d.run), d.epoch) end as epoch
				from experiment_definitions d where d.experiment = $1
			) s
		) t where t.epoch is distinct from t.before order by t.id`,
		[experiment],
	);
}
