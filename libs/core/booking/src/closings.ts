const HOUR_MS = 3_600_000;

/**
 * How far cohorts are closed: those of all hours before `hour`, and of it the units up to `after` in the order of their rows. A unit's
 * week, or its time to come back, is closed so many hours after the hour of its first decision.
 */
export interface Closings {
	/** Hours since 1970. */
	readonly hour: number;
	/** Number of a unit's row; null: none of the hour. */
	readonly after: number | null;
	/** Where decisions were booked, from when on; ascending. */
	readonly turns: readonly Turn[];
	/** Cohorts that closed before this hour were counted whether or not the experiment ran then: Segue did not look at it yet. */
	readonly turnsSince: number;
	/**
	 * Units whose first decision has this id or a smaller one are in no returns, and nothing but later decisions tells of them: where a
	 * decision stood for them, Segue did not note yet that they asked again.
	 */
	readonly visitsSince: string;
	/** Whoever was there in an hour before this one counts as back, whether or not the experiment ran all through it. */
	readonly holdsSince: number;
}

/** From an instant on decisions are booked in an epoch, or in none: paused, stopped, or held by a guardrail. */
export interface Turn {
	/** Milliseconds since the epoch. */
	readonly at: number;
	/** As `epochOf` names it. */
	readonly epoch: string | null;
}

/**
 * Whether what a unit did in its time counts: that is over, and the experiment still ran in the unit's epoch when it was. Of whom it ended
 * too early for, nobody knows whether they would have come back.
 * @param epoch the unit's, as `epochOf` names it
 * @param closesAt hours since 1970
 * @param id number of the unit's row; null where it has none yet
 */
export function isClosed(
	closings: Closings,
	epoch: string,
	closesAt: number,
	id: number | null,
): boolean {
	const { hour, after } = closings;
	const isOver =
		closesAt !== hour
			? closesAt < hour
			: after !== null && id !== null && id <= after;
	return isOver && ranUntil(closings, epoch, closesAt);
}

/**
 * Whether who was there in an hour counts as back: decisions of the epoch were booked all through it. While none is, paused or held by a
 * guardrail, the groups show by different things that somebody is there, so nothing tells of either.
 * @param hour since 1970, before one that is closed
 */
export function ranThrough(
	closings: Closings,
	epoch: string,
	hour: number,
): boolean {
	if (hour < closings.holdsSince) return true;
	const [from, to] = [hour * HOUR_MS, (hour + 1) * HOUR_MS];
	return (
		ranUntil(closings, epoch, hour) &&
		closings.turns.every(
			(turn) => turn.at <= from || turn.at >= to || turn.epoch === epoch,
		)
	);
}

/** No turn comes later than the hours that are closed, so what is told of these stays true. */
function ranUntil(
	{ turns, turnsSince }: Closings,
	epoch: string,
	hour: number,
): boolean {
	if (hour < turnsSince) return true;
	let [last, hasBegun]: [Turn["epoch"] | undefined, boolean] = [
		undefined,
		false,
	];
	for (const turn of turns) {
		if (turn.at > hour * HOUR_MS) break;
		last = turn.epoch;
		hasBegun ||= last === epoch;
	}
	return last === epoch || !hasBegun;
}
