import type { Definition } from "#core/experiment";
import type { DecisionRow, Event, Publisher } from "#core/log";

/** One judged message's items, flattened for a batch. */
export interface LoggedDecision {
	readonly row: DecisionRow;
	readonly publisher: Publisher;
	/** Stream timestamp of the message, milliseconds. */
	readonly storedAt: number;
}

export interface LoggedEvent {
	readonly event: Event;
	/** SHA-256 of the event's canonical content; tells a duplicate from a conflict. */
	readonly bodyHash: Uint8Array;
	readonly publisher: Publisher | null;
	readonly storedAt: number;
}

export interface DeadLetter {
	/** Stream position and index inside the message: the key that keeps it single under redelivery. */
	readonly position: number;
	readonly index: number;
	readonly subject: string;
	readonly storedAt: number;
	readonly reason: string;
	readonly payload: Uint8Array;
}

export interface Batch {
	readonly decisions: readonly LoggedDecision[];
	readonly events: readonly LoggedEvent[];
	readonly deadLetters: readonly DeadLetter[];
}

/** State of a decision under its row lock: what the log says of it now. */
export interface LockedDecision {
	readonly row: DecisionRow;
	readonly definition: Definition;
	/** Every stored outcome of it, this batch's included. */
	readonly outcomes: readonly Event[];
	readonly exposed: 0 | 1;
	readonly reward: number;
}

export interface StateChange {
	readonly id: string;
	readonly exposed: 0 | 1;
	readonly reward: number;
}

export interface SumsDelta {
	readonly experiment: string;
	readonly version: number;
	readonly arm: string;
	readonly bucket: number;
	/** `[n, b(d), A lower triangle by rows]`, to be added. */
	readonly delta: Float64Array;
}

export interface Effects {
	readonly states: readonly StateChange[];
	readonly sums: readonly SumsDelta[];
}

export interface Committed {
	/** Revision each touched experiment got. */
	readonly revisions: ReadonlyMap<string, number>;
	/** Items stored, by experiment: what this batch taught. */
	readonly decisions: number;
	readonly events: number;
	readonly duplicates: number;
	readonly refused: number;
}

/** The database side of a batch: one transaction in the order of docs/invariants.md. */
export interface LearningLedger {
	/** `fold` is pure and sees all locked decisions; its effects are written in the same transaction. */
	commit(batch: Batch, fold: (locked: readonly LockedDecision[]) => Effects): Promise<Committed>;
}
