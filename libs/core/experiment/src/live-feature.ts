import type { ContextSchema, Feature } from "./experiment.js";

/** What is made of the events of a window. */
export const LIVE_AGGREGATES = [
	"count",
	"rate",
	"sum",
	"mean",
	"last",
	"timeSince",
	"distinct",
] as const;
export type LiveAggregate = (typeof LIVE_AGGREGATES)[number];

/** Numbers that an event may hold, in a field or in its properties. */
export type LiveNumber = "value" | "slot" | `properties.${string}`;
export type LiveName = "item" | "session" | "unit";
/** What is read of an event: numbers for sum, mean and last, names for distinct. */
export type LiveField = LiveNumber | LiveName;

/** How `of` is written. A property's name may hold whatever a client gives, but no space. */
export const LIVE_FIELD =
	/^(value|slot|item|session|unit|properties\.\S{1,64})$/u;

const PROPERTIES = "properties.";

/** The property that a field is; null where it is none. */
export function propertyOf(field: string): string | null {
	return field.startsWith(PROPERTIES) ? field.slice(PROPERTIES.length) : null;
}

/** Whose events: those of the unit or session that is decided for, of one item, or of decisions for one arm or for the experiment. */
export const LIVE_KEYS = [
	"unit",
	"session",
	"item",
	"arm",
	"experiment",
] as const;
export type LiveKey = (typeof LIVE_KEYS)[number];

/** A number made of recent events, by their own time: `rate` a minute, `timeSince` in seconds and at most the window. */
export interface LiveFeature {
	readonly event: string;
	readonly windowMs: number;
	/** `meanVector`, of a vector: the mean of the vectors of the items that the events name. */
	readonly aggregate: LiveAggregate | "meanVector";
	/** Present with sum, mean, last and distinct. */
	readonly of?: LiveField;
	readonly by: LiveKey;
	/** Present with `by: item`: the request feature that names the item. */
	readonly item?: string;
	/** Present with `by: arm`: an arm of the experiment. */
	readonly arm?: string;
	/** Present with meanVector: how many numbers a vector has. */
	readonly length?: number;
}

/** What each aggregate may read of an event, the default first, besides a property where that is a number; none for those that read only that it came. */
export const FIELDS_OF: Readonly<Record<LiveAggregate, readonly LiveField[]>> =
	{
		count: [],
		rate: [],
		sum: ["value", "slot"],
		mean: ["value", "slot"],
		last: ["value", "slot"],
		timeSince: [],
		distinct: ["item", "session", "unit"],
	};

/** Whether the aggregate reads numbers, so that a property may be one. */
export function readsNumbers(aggregate: LiveAggregate): boolean {
	return FIELDS_OF[aggregate].includes("value");
}

export type FeatureOfEvents = Extract<
	Feature,
	{ readonly live?: LiveFeature }
> & { readonly live: LiveFeature };

export function isLive(feature: Feature): feature is FeatureOfEvents {
	return (
		(feature.kind === "number" || feature.kind === "vector") &&
		feature.live !== undefined
	);
}

/** What a context makes of events, in order. */
export function liveFeatures({ features }: ContextSchema): LiveFeature[] {
	return features.flatMap((feature) => (isLive(feature) ? feature.live : []));
}
