import { type LiveNumber, propertyOf } from "#core/experiment";
import { quantise } from "#core/linalg";
import type { LiveEvent } from "./live-event.js";

/** As an event's value is bounded at the door; sums of so large numbers on the grid are exact up to 2²¹ of them. */
const MOST = 2 ** 20;

/** The numbers that features read of events, each with a place of its own. */
export class EventNumbers {
	readonly #fields: LiveNumber[] = [];
	#values = new Float64Array(0);

	get count(): number {
		return this.#fields.length;
	}

	placeOf(field: LiveNumber): number {
		const known = this.#fields.indexOf(field);
		if (known >= 0) return known;
		this.#values = new Float64Array(this.#fields.length + 1);
		return this.#fields.push(field) - 1;
	}

	/** What the event holds, by place, NaN where it has no number there; until the next call. */
	of(event: LiveEvent): Float64Array {
		for (let i = 0; i < this.#fields.length; i++)
			this.#values[i] = numberOf(event, this.#fields[i] as LiveNumber);
		return this.#values;
	}
}

function numberOf(event: LiveEvent, field: LiveNumber): number {
	if (field === "value" || field === "slot") return event[field] ?? Number.NaN;
	const { properties } = event;
	const name = propertyOf(field) as string;
	if (properties === undefined || !Object.hasOwn(properties, name))
		return Number.NaN;
	const value = properties[name];
	if (typeof value !== "number") return Number.NaN;
	// A client's properties are kept as they came, so they are put onto the grid here.
	return quantise(Math.min(MOST, Math.max(-MOST, value)));
}
