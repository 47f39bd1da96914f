import type { JsonObject } from "#core/experiment";

/** Why a feature has no value, in the order in which they are counted. */
export const MISSING_REASONS = [
	"absent",
	"no consent",
	"over budget",
	"out of date",
] as const;
export type MissingReason = (typeof MISSING_REASONS)[number];

/** What the health of a context reads of a logged decision. */
export interface ObservedDecision {
	/** UUIDv7. */
	readonly id: string;
	/** By feature name, after consent. */
	readonly context: JsonObject;
	readonly x: Float64Array;
	/** Why each feature without a value has none. */
	readonly missing: { readonly [feature: string]: MissingReason };
}
