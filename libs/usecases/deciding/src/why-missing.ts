import type { Feature } from "#core/experiment";
import type { GatheredContext } from "./gather-context.js";

/**
 * Why a feature has no value. `absent`: nobody gave one of its type. `no consent`: the unit has not allowed it. `over budget`: its
 * profile was not had in time, the database being slow or away. `out of date`: the live windows did not follow the stream.
 */
export type WhyMissing =
	| "absent"
	| "no consent"
	| "over budget"
	| "out of date";

/** Told from what a row keeps, so that a decision derived again says the same. */
export function whyMissing(
	{ from, consent }: Feature,
	degraded: GatheredContext["degraded"],
): WhyMissing {
	if (consent !== undefined) return "no consent";
	if (from === "profile" && degraded.includes("profile")) return "over budget";
	if (from === "live" && degraded.includes("live")) return "out of date";
	return "absent";
}
