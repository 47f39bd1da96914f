/**
 * How far cohorts are closed: those of all hours before `hour`, and of it the units up to `after` in the order of their rows. A unit's
 * week, or its time to come back, is closed so many hours after the hour of its first decision.
 */
export interface Closings {
	/** Hours since 1970. */
	readonly hour: number;
	/** Number of a unit's row; null: none of the hour. */
	readonly after: number | null;
}

/** @param id number of the unit's row; null where it has none yet */
export function isClosed(
	{ hour, after }: Closings,
	closesAt: number,
	id: number | null,
): boolean {
	if (closesAt !== hour) return closesAt < hour;
	return after !== null && id !== null && id <= after;
}
