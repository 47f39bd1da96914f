import type { BookableRow } from "./bookable.js";

/** Propensities are summed in steps of 2⁻⁴⁰, so that their sums are exact and know no order. */
export const PROPENSITY_STEPS = 2 ** 40;

/**
 * Of one arm in one group: what was drawn against what was to be expected. 1{A = a} − p(a) is a martingale's step whatever the policy does,
 * with variance p(1 − p): rows that are lost by their arm, and nothing else, make it drift.
 */
export interface DrawSums {
	/** Decisions in which the arm was eligible. */
	eligible: number;
	/** Those that drew it. */
	drawn: number;
	/** Σ p(a) and Σ p(a)(1 − p(a)), in PROPENSITY_STEPS; of a page at most, so below 2⁵³. */
	expected: number;
	variance: number;
}

/** Adds a decision's draw to the sums by arm, or takes it away. */
export function addDraw(
	sums: Map<string, DrawSums>,
	{ arm, eligible, propensities }: BookableRow,
	arms: readonly { readonly key: string }[],
	sign: 1 | -1,
): void {
	eligible.forEach((index, i) => {
		const key = arms[index]?.key;
		if (key === undefined) return;
		let own = sums.get(key);
		if (own === undefined) {
			own = { eligible: 0, drawn: 0, expected: 0, variance: 0 };
			sums.set(key, own);
		}
		const p = propensities[i] as number;
		own.eligible += sign;
		own.drawn += key === arm ? sign : 0;
		own.expected += sign * Math.round(PROPENSITY_STEPS * p);
		own.variance += sign * Math.round(PROPENSITY_STEPS * p * (1 - p));
	});
}
