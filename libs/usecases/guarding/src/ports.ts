import type { Guard, GuardBook, SumsBySide } from "#core/guarding";
import type { DefinitionStore, StoredDefinition } from "#usecases/defining";
import type { Message } from "#usecases/notifying";

/** From which definition row on an experiment's guardrails count. */
export interface Since {
	readonly id: number;
	/** When it was made, milliseconds. */
	readonly at: number;
}

export interface BookPart {
	readonly definition: StoredDefinition;
	readonly since: Since;
	readonly book: GuardBook;
	/** Decisions before this instant are to count, milliseconds. */
	readonly upTo: number;
}

export interface BookStep {
	/** Everything that is to count by now does, as the log has it now. */
	readonly isCurrent: boolean;
	/** It stands at the newest revision: no event that the log has is missing from what is counted. */
	readonly isLookable: boolean;
	/** Of each of the book's metrics. */
	readonly sums: readonly SumsBySide[];
}

export interface GuardBooks {
	/** Counts some more; null where somebody else is at it. */
	step(part: BookPart): Promise<BookStep | null>;
	/** What is counted so far; null where nothing ever was. */
	sums(
		experiment: string,
		since: number,
		book: GuardBook,
	): Promise<readonly SumsBySide[] | null>;
}

/** A guardrail that found its bound broken. */
export interface Trip {
	readonly experiment: string;
	/** The definition row from which on it counted. */
	readonly since: number;
	readonly guardrail: number;
	readonly metric: string;
	readonly action: Guard["action"];
	/** What it saw, numbers by name. */
	readonly look: { readonly [name: string]: number };
	readonly sentence: string;
}

export interface StoredTrip extends Trip {
	/** Milliseconds since the epoch. */
	readonly at: number;
}

export interface GuardTrips {
	/** Of the experiment's guardrails that count since a row. */
	since(experiment: string, since: number): Promise<readonly StoredTrip[]>;
	/**
	 * Stores a trip, what `act` makes of the definition, and the message, all or nothing. False, and nothing is stored, where `act` did
	 * not act, or the guardrail had tripped before.
	 */
	trip(
		trip: Trip,
		act: ((store: Pick<DefinitionStore, "change">) => Promise<boolean>) | null,
		message: Message | null,
	): Promise<boolean>;
}
