import {
	mixtureBoundary,
	type ShownLift,
	type Withheld,
} from "#core/statistics";
import type { FootnoteId } from "./footnotes.js";

/** α of what is judged by itself: the primary metric's lift. */
export const ALPHA = 0.05;

/**
 * An estimate with its interval, null where the data allow none; `withheld` says why. `always-valid`: the interval holds at all looks at
 * once, so that reading it daily misleads nobody.
 */
export interface Estimate {
	readonly estimate: number | null;
	readonly standardError: number | null;
	/** Ends of the interval. */
	readonly low: number | null;
	readonly high: number | null;
	/** 1 − α. */
	readonly confidence: number;
	readonly kind: "always-valid";
	/** What the interval takes as independent of each other. */
	readonly observation: "unit" | "decision";
	/** Why there is no interval, or no estimate; null where there is. */
	readonly withheld: string | null;
	/** Where formula, reference and assumptions are said. */
	readonly footnote: FootnoteId;
}

/** What is said of every estimate of one kind. */
export interface EstimateKind {
	readonly alpha: number;
	readonly footnote: FootnoteId;
	readonly observation?: Estimate["observation"];
}

export function withheldEstimate(
	reason: string,
	{ alpha, footnote, observation = "unit" }: EstimateKind,
	estimate: number | null = null,
): Estimate {
	return {
		estimate,
		standardError: null,
		low: null,
		high: null,
		confidence: 1 - alpha,
		kind: "always-valid",
		observation,
		withheld: reason,
		footnote,
	};
}

export function shownEstimate(
	shown: {
		readonly estimate: number;
		readonly standardError: number | null;
		readonly low: number;
		readonly high: number;
	},
	{ alpha, footnote, observation = "unit" }: EstimateKind,
): Estimate {
	const { estimate, standardError, low, high } = shown;
	return {
		estimate,
		standardError,
		low,
		high,
		confidence: 1 - alpha,
		kind: "always-valid",
		observation,
		withheld: null,
		footnote,
	};
}

/** A comparison, or why there is none; or a lift without an interval, and why it has none. */
export type Compared = ShownLift | (Withheld & { readonly lift?: number });

export function liftEstimate(found: Compared, kind: EstimateKind): Estimate {
	if (found.kind === "withheld")
		return withheldEstimate(found.reason, kind, found.lift);
	const { lift: estimate, standardError, low, high } = found;
	return shownEstimate({ estimate, standardError, low, high }, kind);
}

/** The relative lift of the same groups. */
export function relativeEstimate(
	found: Compared,
	kind: EstimateKind,
): Estimate {
	const relative = found.kind === "withheld" ? found : found.relative;
	if (relative.kind === "withheld")
		return withheldEstimate(relative.reason, kind);
	const { lift: estimate, low, high } = relative;
	return shownEstimate({ estimate, standardError: null, low, high }, kind);
}

/** Half of the normal mixture's interval, in the clock 1/SE²; τ in the estimate's unit. */
export function halfWidth(
	standardError: number,
	tau: number,
	alpha: number,
): number {
	const information = 1 / (standardError * standardError);
	return mixtureBoundary(information, 1 / (tau * tau), alpha) / information;
}
