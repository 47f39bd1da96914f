import type { JsonObject } from "#core/experiment";

/** What windows read of an event. */
export interface LiveEvent {
	readonly id: string;
	readonly type: string;
	/** Event time, milliseconds since the epoch. */
	readonly at: number;
	readonly unit: string;
	readonly decisionId?: string;
	readonly value?: number;
	readonly slot?: number;
	readonly session?: string;
	readonly item?: string;
	readonly properties?: JsonObject;
	/** With type `retract`: the id of the event of the same unit and decision that is taken back. */
	readonly retracts?: string;
}
