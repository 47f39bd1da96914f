import { isClosing, isVisit, RETRACT, type Sticky } from "#core/experiment";
import type { DecisionRow, Event } from "#core/log";
import { RETURN_HOURS } from "./metric.js";

const HOUR_MS = 3_600_000;
/** As far as anyone asks whether a unit came back. */
export const LONGEST_HOURS = Math.max(...Object.values(RETURN_HOURS));

/**
 * Hours since 1970, each once, in which a unit was back while a decision stood for it: it asked again, or something of the decision
 * happened, in the reward's window or after it. Null where no decision stands for the unit: then its next one tells of it.
 * A function of the set of outcomes: an event that the unit took back counts no more, however late it did.
 */
export function visitHours(
	sticky: Sticky | undefined,
	{ unit, decidedAt }: Pick<DecisionRow, "unit" | "decidedAt">,
	outcomes: readonly Event[],
): readonly number[] | null {
	if (sticky !== "unit") return null;
	const from = Math.floor(decidedAt / HOUR_MS);
	const own = outcomes.filter((event) => event.unit === unit);
	const takenBack = new Set(
		own.flatMap(({ type, retracts }) => (type === RETRACT ? retracts : [])),
	);
	const hours = new Set<number>();
	for (const event of own) {
		if (event.type === RETRACT || isClosing(event)) continue;
		const hour = Math.floor(event.at / HOUR_MS);
		if (hour <= from || hour >= from + LONGEST_HOURS) continue;
		if (isVisit(event) || !takenBack.has(event.id)) hours.add(hour);
	}
	return [...hours].sort((a, b) => a - b);
}
