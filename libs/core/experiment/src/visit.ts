import type { Event } from "#core/log";

/**
 * A unit asks again while a decision stands for it: a row of the log among that decision's outcomes, an input like any other, which
 * earns nothing and proves nothing. No event of a client has its type (a letter or digit comes first there); who may publish packs could tell of one.
 */
export const VISIT_TYPE = "_visit";

const HOUR_MS = 3_600_000;

/** A decision that stands for its unit. */
export interface VisitedDecision {
	readonly id: string;
	/** As the decision's row names it. */
	readonly unit: string;
}

export const isVisit = ({ type }: Pick<Event, "type">): boolean =>
	type === VISIT_TYPE;

/**
 * Of all that a unit asks in one hour of the clock it is the same event, so that whoever tells of it again, here or elsewhere, adds
 * nothing. No more of the time is kept than returns are counted by.
 * @param at of the ask, milliseconds since the epoch
 */
export function visitOf(decision: VisitedDecision, at: number): Event {
	const hour = Math.floor(at / HOUR_MS);
	return {
		id: `${VISIT_TYPE}:${hour}`,
		type: VISIT_TYPE,
		at: hour * HOUR_MS,
		unit: decision.unit,
		decisionId: decision.id,
	};
}
