/** What one observation of a metric's denominator n is. */
export type Per =
	/** A decision that teaches (E = 1). */
	| "learned"
	| "decision"
	/** A decision that was shown: an event that stands proves it. */
	| "impression"
	/** A decision that had a play. */
	| "play"
	/** A decision that had an event of a type that the experiment names. */
	| "event"
	| "session"
	| "unit"
	/** A unit whose time to come back is over. */
	| "closed unit";

/** What is summed in its numerator C. */
export type Measure = "reward" | "share" | "count" | "seconds" | "value";

/**
 * A ratio ΣC / Σn, the observation being the unit: each unit has an n and a C (DESIGN §2). n is a whole number; C is a whole number of
 * steps of the 2⁻¹² grid, so that sums and products of both are exact.
 */
export interface Metric {
	readonly name: string;
	readonly per: Per;
	readonly measure: Measure;
	/** What a unit's C is cut off at, steps of the grid; null: nowhere. */
	readonly cap: number | null;
	/** Defined after its run had booked decisions without it. Of a metric by unit, a unit is an observation from its first decision with it on. */
	readonly isLate?: true;
}

/** Steps of the grid in 1. */
export const STEPS = 4096;

const DAY_HOURS = 24;

/** Hours after its first decision within which a unit comes back, by metric. */
export const RETURN_HOURS: Readonly<Record<string, number>> = {
	return_1d: DAY_HOURS,
	return_7d: 7 * DAY_HOURS,
	return_28d: 28 * DAY_HOURS,
};

const metric = (
	name: string,
	per: Per,
	measure: Measure,
	cap: number | null = null,
): Metric => ({ name, per, measure, cap });

/** What every experiment is measured by, in the order of their columns. A new one goes to the end. */
export const BUILT_IN: readonly Metric[] = [
	metric("reward", "learned", "reward"),
	metric("impression_rate", "decision", "share"),
	metric("click_rate", "impression", "share"),
	metric("play_rate", "impression", "share"),
	metric("play_through_rate", "play", "share"),
	metric("time_to_first_play", "play", "seconds"),
	metric("save_rate", "impression", "share"),
	metric("skip_rate", "impression", "share"),
	metric("session_length", "session", "seconds"),
	metric("return_1d", "closed unit", "share"),
	metric("return_7d", "closed unit", "share"),
	metric("return_28d", "closed unit", "share"),
	metric("premium_rate", "unit", "share", STEPS),
	metric("revenue", "unit", "value"),
];

/** Where n of a built-in metric stands among the columns; its C follows. */
export const columnOf = (name: string): number =>
	2 * BUILT_IN.findIndex((one) => one.name === name);

/** n of `impression_rate`: decisions, whatever became of them. */
export const DECISIONS = columnOf("impression_rate");

/** n and C of a unit as sums take them: its C cut off at the cap, and 1 as its n where the unit itself is the observation. */
export function ofUnit(
	{ per, cap, isLate }: Metric,
	n: number,
	c: number,
): readonly [n: number, c: number] {
	const isObserved = !isLate || n > 0;
	return [
		per === "unit" ? Number(isObserved) : n,
		cap === null ? c : Math.min(cap, c),
	];
}
