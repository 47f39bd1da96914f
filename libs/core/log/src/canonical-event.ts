import type { JsonValue } from "#core/experiment";
import type { Event } from "./event.js";

/**
 * JSON with sorted keys and without absent fields: equal for two events if and only if their content is. The keys of an event stand here
 * in their order; stored hashes are of these bytes.
 */
export function canonicalEvent(event: Event): string {
	const { properties } = event;
	return JSON.stringify({
		at: event.at,
		decisionId: event.decisionId,
		id: event.id,
		item: event.item,
		properties: properties && sorted(properties),
		retracts: event.retracts,
		session: event.session,
		slot: event.slot,
		type: event.type,
		unit: event.unit,
		value: event.value,
	} satisfies { [Field in keyof Required<Event>]: unknown });
}

function sorted(value: {
	readonly [key: string]: JsonValue | undefined;
}): object {
	const entries = Object.entries(value)
		.filter(([, item]) => item !== undefined)
		.map(([key, item]) => [key, isObject(item) ? sorted(item) : item] as const);
	return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isObject(
	value: JsonValue | undefined,
): value is { readonly [key: string]: JsonValue } {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
