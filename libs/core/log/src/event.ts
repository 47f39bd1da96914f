import type { JsonObject } from "#core/experiment";
import { timeOfId } from "./decision-id.js";

/** What a client reports happened, validated (see parse-event.ts). Absent optional fields are undefined. */
export interface Event {
	readonly id: string;
	/** Event type, a NATS token: `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`. */
	readonly type: string;
	/** Event time, milliseconds since the epoch. */
	readonly at: number;
	readonly unit: string;
	/** UUIDv7, lower case. Absent: a signal, which feeds live windows only. */
	readonly decisionId?: string;
	readonly value?: number;
	readonly session?: string;
	readonly item?: string;
	readonly slot?: number;
	/** Flat, at most 2 KB of JSON. */
	readonly properties?: JsonObject;
	/** With type `retract`: the id of the event taken back. */
	readonly retracts?: string;
}

/** When what the event is about was decided, milliseconds; where it names no decision, its own time. */
export function instantOf({
	at,
	decisionId,
}: Pick<Event, "at" | "decisionId">): number {
	return decisionId === undefined ? at : timeOfId(decisionId);
}
