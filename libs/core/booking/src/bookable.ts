import type { Definition, JsonObject } from "#core/experiment";
import type { DecisionRow, Event } from "#core/log";
import { ALL, armSlice, type Side, type Slice, segmentSlice } from "./slice.js";

/** What booking reads of a decision's row. */
export type BookableRow = Pick<
	DecisionRow,
	| "id"
	| "unit"
	| "session"
	| "group"
	| "arm"
	| "context"
	| "eligible"
	| "means"
	| "propensities"
	| "degraded"
	| "origin"
	| "decidedAt"
>;

/** A decision with its outcomes, as the log had it at a revision. */
export interface Bookable {
	readonly row: BookableRow;
	readonly definition: Definition;
	readonly outcomes: readonly Event[];
}

/** Where rollups of a run's epoch lie. */
export interface EpochKey {
	readonly version: number;
	readonly run: number;
	readonly epoch: number;
}

/** How a decision is counted over time: one that a guardrail served counts in no group's results. */
export type CountedAs = "policy" | "control" | "outside" | "guardrail";

/** Stands for whatever a decision's `degraded` names, so that one that names two parts counts once. */
export const ANY_PART = "";

/** Named in a decision's `degraded` where a guardrail had it served control's distribution. */
const GUARDRAIL = "guardrail";

export function countedAs({
	group,
	degraded,
}: Pick<BookableRow, "group" | "degraded">): CountedAs {
	return group !== "outside" && degraded.includes(GUARDRAIL)
		? "guardrail"
		: group;
}

/** The group whose units it is compared among; null where it counts in none: outside, by a guardrail, or imported history. */
export function sideOf(
	row: Pick<BookableRow, "group" | "degraded" | "origin">,
): Side | null {
	const as = countedAs(row);
	return row.origin !== "import" && (as === "policy" || as === "control")
		? as
		: null;
}

/** The slices it counts in, `week1` apart. */
export function slicesOf({
	row: { arm, context },
	definition: { experiment },
}: Bookable): readonly Slice[] {
	const slices = [ALL, armSlice(arm)];
	const { segments = [] } = experiment;
	for (const name of segments) {
		const feature = experiment.context.features.find(
			(one) => one.name === name,
		);
		const value = context[name];
		if (feature?.kind === "boolean" && typeof value === "boolean")
			slices.push(segmentSlice(name, String(value)));
		else if (
			feature?.kind === "category" &&
			typeof value === "string" &&
			feature.levels.includes(value)
		)
			slices.push(segmentSlice(name, value));
	}
	return slices;
}

/** Steps of the grid in 1. */
const STEPS = 4096;
const MOST_COVARIATE = 2 ** 32;

/** The covariate's value, in steps of the grid; null where the experiment has none, or the decision. */
export function covariateOf({
	row: { context },
	definition: { experiment },
}: {
	readonly row: { readonly context: JsonObject };
	readonly definition: Definition;
}): number | null {
	const { covariate } = experiment;
	const value = covariate === undefined ? undefined : context[covariate];
	if (typeof value !== "number" || !(Math.abs(value) <= MOST_COVARIATE))
		return null;
	return Math.round(STEPS * value) + 0;
}
