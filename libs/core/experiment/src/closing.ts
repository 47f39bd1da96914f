import type { Event } from "#core/log";

/**
 * The close of a decision's window, where `learn: windowClose` waits for it: a row of the log among the decision's outcomes, an input
 * like any other. No client can name its type (a letter or digit comes first) or its id (at least one character).
 */
export const CLOSING_TYPE = "_close";
export const CLOSING_ID = "";

const LONGEST_GRACE_MS = 5 * 60_000;

/** Events of the window may be on their way for so long after its end; later ones are learned too, but after the closing. */
export const closingGraceMs = (windowMs: number): number =>
	Math.min(LONGEST_GRACE_MS, windowMs);

export const isClosing = (event: Pick<Event, "id">): boolean =>
	event.id === CLOSING_ID;

/** @param windowEndsAt milliseconds since the epoch */
export function closingOf(
	decision: { readonly id: string; readonly unit: string },
	windowEndsAt: number,
): Event {
	return {
		id: CLOSING_ID,
		type: CLOSING_TYPE,
		at: windowEndsAt,
		unit: decision.unit,
		decisionId: decision.id,
	};
}
