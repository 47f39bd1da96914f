/** Which way of a metric is the better one: what a guardrail guards against is the other. */
export type Better = "higher" | "lower";

export interface BuiltInMetric {
	readonly better: Better;
	/** What its values are measured in, in words. */
	readonly unit: string;
	/** It counts over a span of its own, so that a guardrail cannot give it another. */
	readonly ownSpan?: true;
}

const share = { better: "higher", unit: "share" } as const;

/** The metrics that every experiment has, by their public names: a closed list. */
export const BUILT_IN_METRICS = {
	/** R of each learned decision. */
	reward: { better: "higher", unit: "reward" },
	/** Of all decisions, those that were shown. */
	impression_rate: share,
	/** Of the decisions shown, those with a click; likewise the next two. */
	click_rate: share,
	play_rate: share,
	save_rate: share,
	/** Of the decisions with a play, those with a complete. */
	play_through_rate: share,
	/** Seconds from the decision to its first play, of the decisions with one. */
	time_to_first_play: { better: "lower", unit: "seconds" },
	/** Of the decisions shown, those with a skip within 30 s. */
	skip_rate: { better: "lower", unit: "share" },
	/** Seconds of each session. */
	session_length: { better: "higher", unit: "seconds", ownSpan: true },
	/** Of the units whose span is closed, those that came back within it. */
	return_1d: { ...share, ownSpan: true },
	return_7d: { ...share, ownSpan: true },
	return_28d: { ...share, ownSpan: true },
	/** Of the units, those with an event `premium`. */
	premium_rate: share,
	/** Of each unit, the sum of the values of its events `purchase`. */
	revenue: { better: "higher", unit: "value" },
} as const satisfies { readonly [name: string]: BuiltInMetric };

export type BuiltInName = keyof typeof BUILT_IN_METRICS;

export function isBuiltIn(name: string): name is BuiltInName {
	return Object.hasOwn(BUILT_IN_METRICS, name);
}

/**
 * An experiment's own metric: Σ C / Σ n over decisions, as the report's ratios are.
 * - `count: once`: C is 1 for a decision with such an event; `each`: the number of them; `value`: the sum of their values.
 * - `per: decision`: n is 1 for each learned decision; `impression`: for each that was shown; `unit`: for each unit; another
 *   event's type: for each decision with such an event.
 */
export interface OwnMetric {
	readonly name: string;
	/** Type of the events that are counted. */
	readonly event: string;
	readonly per: string;
	readonly count: "once" | "each" | "value";
	/** Counted from decidedAt; absent: the reward's window. */
	readonly withinMs?: number;
	/** The most that one unit's C counts for, on the grid: winsorising. */
	readonly cap?: number;
	/** What its values are measured in, in words. */
	readonly unit: string;
	readonly better: Better;
}

/** The metric that the experiment is judged by, with the plan that fixes how. */
export interface PrimaryMetric {
	readonly metric: string;
	/** The smallest lift that matters, in the metric's own unit. */
	readonly smallestEffect: number;
	/** N: units inside the experiment, of both groups together. */
	readonly plannedUnits: number;
	/** Standard deviation of a unit's ratio, in the metric's own unit. */
	readonly spread?: number;
	/** Instead of `spread`: an expected rate p, whose spread is √(p(1 − p)). */
	readonly expected?: number;
}

export interface Metrics {
	readonly primary?: PrimaryMetric;
	readonly secondary: readonly string[];
	readonly define: readonly OwnMetric[];
}
