import { verdictOfRefusal } from "#core/experiment";
import { LOG_SUBJECT } from "#core/log";
import type { Admitted } from "./admit.js";
import type {
	DeadLetter,
	Effects,
	LoggedDecision,
	LoggedEvent,
} from "./ports.js";
import {
	NO_EXPERIMENT,
	type VerdictChange,
	VerdictTally,
} from "./verdict-tally.js";

/** What the database found the admitted items of a batch to be. */
export interface StoredItems {
	readonly admitted: Admitted;
	/** Decisions that were new. */
	readonly logged: readonly LoggedDecision[];
	/** Outcomes that were new. */
	readonly fresh: readonly LoggedEvent[];
	/** Outcomes that were stored before with the same body, or came twice in the batch. */
	readonly known: readonly LoggedEvent[];
	/** How many signals were new, and how many stored before with the same body. */
	readonly signals: { readonly fresh: number; readonly known: number };
	/** Every item that was refused, by the database's keys too. */
	readonly letters: readonly DeadLetter[];
	/** Those of `letters` that had not been refused before: the others are redelivered. */
	readonly newLetters: ReadonlySet<DeadLetter>;
	/** Experiment of a decision; undefined where it has not come. */
	readonly experimentOf: (decisionId: string) => string | undefined;
	readonly effects: Effects;
}

/** How the counts of verdicts move by a batch. Adds up to the batch's deliveries, decisions and events. Pure. */
export function countBatch(items: StoredItems): readonly VerdictChange[] {
	const tally = new VerdictTally();
	countDecisions(items, tally);
	countOutcomes(items, tally);
	countRefused(items, tally);
	const { admitted, signals } = items;
	tally.add(NO_EXPERIMENT, "event", "signal", signals.fresh);
	tally.add(NO_EXPERIMENT, "event", "duplicate", signals.known);
	// A trace of the experiment would say something of the person.
	const { decisions, events } = admitted.erased;
	tally.add(NO_EXPERIMENT, "decision", "erased", decisions);
	tally.add(NO_EXPERIMENT, "event", "erased", events);
	return tally.changes();
}

function countDecisions(
	{ admitted, logged }: StoredItems,
	tally: VerdictTally,
): void {
	const isNew = new Set(logged);
	for (const decision of admitted.decisions.values())
		tally.add(
			decision.row.experiment,
			"decision",
			isNew.has(decision) ? "logged" : "duplicate",
		);
	for (const { row } of admitted.repeated)
		tally.add(row.experiment, "decision", "duplicate");
}

/** The fold has judged the events of decisions that are there. */
function countOutcomes(
	{ fresh, known, experimentOf, effects }: StoredItems,
	tally: VerdictTally,
): void {
	tally.addAll(effects.verdicts);
	for (const { event } of fresh)
		if (experimentOf(event.decisionId as string) === undefined)
			tally.add(NO_EXPERIMENT, "event", "unknown decision (waiting)");
	for (const { event } of known) {
		const experiment = experimentOf(event.decisionId as string);
		tally.add(experiment ?? NO_EXPERIMENT, "event", "duplicate");
	}
}

function countRefused(
	{ letters, newLetters, experimentOf }: StoredItems,
	tally: VerdictTally,
): void {
	for (const letter of letters) {
		const { decisionId, reason, source } = letter;
		const experiment =
			decisionId === undefined ? undefined : experimentOf(decisionId);
		tally.add(
			experiment ?? NO_EXPERIMENT,
			source.subject === LOG_SUBJECT ? "decision" : "event",
			newLetters.has(letter) ? verdictOfRefusal(reason) : "duplicate",
		);
	}
}
