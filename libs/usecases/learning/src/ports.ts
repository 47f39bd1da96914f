import type { Definition } from "#core/experiment";
import type { DecisionRow, Event, Publisher } from "#core/log";
import type { DeliveryKind, VerdictChange } from "./verdict-tally.js";

/** Where an item came from: the key that keeps its dead letter single under redelivery. */
export interface ItemSource {
	readonly position: number;
	/** Place inside a packed message. */
	readonly index: number;
	readonly subject: string;
	/** Stream timestamp of the message, milliseconds since the epoch. */
	readonly storedAt: number;
}

/** One judged message's items, flattened for a batch. */
export interface LoggedDecision {
	readonly row: DecisionRow;
	readonly publisher: Publisher;
	readonly source: ItemSource;
}

export interface LoggedEvent {
	readonly event: Event;
	/** SHA-256 of the event's canonical content; tells a duplicate from a conflict. */
	readonly bodyHash: Uint8Array;
	readonly publisher: Publisher | null;
	readonly source: ItemSource;
}

export interface DeadLetter {
	readonly source: ItemSource;
	/** Why it could not be taken, and from where in the item. */
	readonly reason: string;
	readonly payload: Uint8Array;
	/** The decision that the refused event named, where that much was understood. */
	readonly decisionId?: string;
	/** When it was, milliseconds, where that much was understood: by it is told whether an erasure covers it. */
	readonly at?: number;
}

export interface Batch {
	readonly decisions: readonly LoggedDecision[];
	readonly events: readonly LoggedEvent[];
	readonly deadLetters: readonly DeadLetter[];
	/** Closings of windows that are over (see closing.ts of the core): no deliveries, so they have no verdict. */
	readonly closings?: readonly LoggedEvent[];
}

/** A decision as far as sums and verdicts are made of it. */
export type LearnableRow = Pick<
	DecisionRow,
	| "id"
	| "experiment"
	| "version"
	| "definitionId"
	| "unit"
	| "group"
	| "arm"
	| "x"
	| "decidedAt"
>;

/** State of a decision under its row lock: what the log says of it now. */
export interface LockedDecision {
	readonly row: LearnableRow;
	readonly definition: Definition;
	/** Every stored outcome of it, this batch's included. */
	readonly outcomes: readonly Event[];
	/** Those of `outcomes` that were stored before this batch; absent: none. */
	readonly earlier?: readonly Event[];
	/** True where this batch stored the decision; what came earlier waited for it. */
	readonly fresh?: boolean;
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

export interface ArmMovement {
	readonly experiment: string;
	readonly arm: string;
	/** Change of n, the decisions learned. */
	readonly learned: number;
	/** Change of Σ R over them. */
	readonly reward: number;
}

export interface Effects {
	readonly states: readonly StateChange[];
	readonly sums: readonly SumsDelta[];
	readonly moved: readonly ArmMovement[];
	/** Verdicts that the locked decisions' events have now, less those they had before. */
	readonly verdicts: readonly VerdictChange[];
}

export interface Committed {
	/** Revision each touched experiment got. */
	readonly revisions: ReadonlyMap<string, number>;
	/** New rows of the log. */
	readonly decisions: number;
	readonly events: number;
	/** Known already: redelivered, repeated, or another body under a stored key. */
	readonly duplicates: number;
	/** Newly dead-lettered. */
	readonly refused: number;
	/** Why, for each item of the batch that was refused: the part of the reason before its colon. */
	readonly reasons: readonly string[];
	/** What each arm's reward and exposure moved by, for the metrics. */
	readonly moved: readonly ArmMovement[];
	/** How the ledger's counts moved; adds up to the deliveries of the batch. */
	readonly verdicts: readonly VerdictChange[];
	/** Sums that came within half of where float64 stops being exact, in words: an operator must act. */
	readonly alarms: readonly string[];
}

/** The database side of a batch: one transaction in the order of docs/invariants.md. */
export interface LearningLedger {
	/** `fold` is pure and sees all locked decisions; its effects are written in the same transaction. */
	commit(
		batch: Batch,
		fold: (locked: readonly LockedDecision[]) => Effects,
	): Promise<Committed>;
}

/** What each decider published, as far as learners took it: from it losses are found (see usecases/watching). Outside the batch, since learners share its rows. */
export interface PublishedPacks {
	/**
	 * Resolves once they are stored, or are kept for the next call since the database refuses them: learning goes on. Rejects where the
	 * learner stops before.
	 */
	record(packs: readonly Publisher[]): Promise<void>;
}

/** A decision that teaches from the close of its window on, and is not closed yet. */
export interface OpenWindow {
	readonly id: string;
	/** Null where the decision is gone: erased, or before the horizon. */
	readonly unit: string | null;
	/** Milliseconds since the epoch. */
	readonly endsAt: number;
}

export interface OpenWindows {
	/** Windows whose grace ended by `now`, milliseconds; the longest due first. */
	due(now: number, most: number): Promise<readonly OpenWindow[]>;
}

/** The counters of the ledger, added over shards. */
export interface LedgerReads {
	/** `-`: what belongs to no experiment. Only verdicts that something has. */
	counts(
		experiment: string,
	): Promise<readonly Omit<VerdictCount, "experiment">[]>;
}

export interface VerdictCount {
	readonly experiment: string;
	readonly kind: DeliveryKind;
	readonly verdict: string;
	readonly count: number;
}

/** Sums of one experiment as stored, all versions, at one revision. */
export interface StoredSums {
	readonly experiment: string;
	readonly revision: number;
	readonly buckets: readonly StoredBucket[];
}

/** `[n, b(d), A lower triangle by rows]` of one arm in one time bucket, added over shards. */
export interface StoredBucket {
	readonly version: number;
	readonly arm: string;
	readonly bucket: number;
	readonly sums: Float64Array;
}

export interface LoggedState {
	readonly row: DecisionRow;
	readonly definition: Definition;
	readonly outcomes: readonly Event[];
}

/** What a replay reads: stored sums at a revision, and the log up to it, page by page in short reads. */
export interface LogReads {
	experiments(): Promise<readonly string[]>;
	storedSums(experiment: string): Promise<StoredSums>;
	/** What retention folded away, as it was when the rows were dropped. */
	closedSums(experiment: string): Promise<readonly StoredBucket[]>;
	/** Oldest revision under which nothing was erased or dropped since. */
	floor(experiment: string): Promise<number>;
	/** Decisions after `afterId` in id order whose batch has a revision up to `revision`, with the outcomes that count at it. */
	page(
		experiment: string,
		revision: number,
		afterId: string | null,
		most: number,
	): Promise<readonly LoggedState[]>;
}

/** One arm's sums in one time bucket, added over shards: `[n, b(d), A lower triangle by rows]`. */
export interface BucketOfSums {
	readonly arm: string;
	readonly bucket: number;
	readonly sums: Float64Array;
}

/** A decision as far as sums are made of it, and the revisions by which it and its outcomes came. */
export interface TouchedDecision {
	readonly row: Pick<
		DecisionRow,
		"id" | "arm" | "unit" | "group" | "decidedAt" | "x"
	>;
	readonly definition: Definition;
	readonly revision: number;
	readonly outcomes: readonly {
		readonly event: Event;
		/** Null: its batch took no revision here, so it came before its decision and counts with it. */
		readonly revision: number | null;
	}[];
}

/** What the sums of one experiment version at another revision are recovered from. */
export interface RevisionReads {
	/** Oldest revision under which nothing was erased or dropped since; 0 where nothing ever was. */
	floor(experiment: string): Promise<number>;
	/** The present sums with their revision, and the floor, in one snapshot. */
	sumsNow(experiment: string, version: number): Promise<SumsNow>;
	/**
	 * Every decision of the version, but those outside the experiment, that came by a revision in (from, to] or got an outcome by one;
	 * each with all outcomes it has by now.
	 */
	touched(
		experiment: string,
		version: number,
		from: number,
		to: number,
	): Promise<readonly TouchedDecision[]>;
}

export interface SumsNow {
	readonly revision: number;
	readonly floor: number;
	readonly buckets: readonly BucketOfSums[];
	/** Of them, what retention folded away: no decision of it is in the log any more. */
	readonly closed: readonly BucketOfSums[];
}
