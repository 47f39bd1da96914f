import type { JsonObject } from "#core/experiment";
import type { Event } from "#core/log";

/** A row of `outcomes` as pg gives it. */
export interface OutcomeRecord {
	decision_id: string;
	event_id: string;
	unit: string;
	session: string | null;
	type: string;
	item: string | null;
	slot: number | null;
	at: Date;
	value: number | null;
	properties: JsonObject | null;
	retracts: string | null;
	stored_at: Date;
}

export const outcomeColumns =
	"o.decision_id, o.event_id, o.unit, o.session, o.type, o.item, o.slot, o.at, o.value, o.properties, o.retracts, o.stored_at";

export function toEvent(record: OutcomeRecord): Event {
	return {
		id: record.event_id,
		type: record.type,
		at: record.at.getTime(),
		unit: record.unit,
		decisionId: record.decision_id,
		...(record.value === null ? {} : { value: record.value }),
		...(record.session === null ? {} : { session: record.session }),
		...(record.item === null ? {} : { item: record.item }),
		...(record.slot === null ? {} : { slot: record.slot }),
		...(record.properties === null ? {} : { properties: record.properties }),
		...(record.retracts === null ? {} : { retracts: record.retracts }),
	};
}

/** The outcomes of each decision, in the order given. */
export function byDecision(
	events: readonly Event[],
): ReadonlyMap<string, readonly Event[]> {
	const groups = new Map<string, Event[]>();
	for (const event of events) {
		const id = event.decisionId as string;
		const group = groups.get(id);
		if (group) group.push(event);
		else groups.set(id, [event]);
	}
	return groups;
}
