import type { Definition } from "#core/experiment";
import type { DecisionRow } from "#core/log";
import type { BucketSums } from "./ports.js";

/** The sums of one experiment version, moved between the revisions that it had. */
export interface SumsTimeline {
	/** The newest revision it moves to. */
	readonly newest: number;
	/** The oldest one, beside 0, where nothing was learned. */
	readonly floor: number;
	/** The sums at the present place; never changed by a move. */
	all(): readonly BucketSums[];
	/** Returns the buckets that moved, each whole. Rejects with the signal's reason where that comes first. */
	moveTo(
		revision: number,
		signal?: AbortSignal,
	): Promise<readonly BucketSums[]>;
}

/** The sums of the past, recovered from the log. */
export interface PastSums {
	/** A timeline that can soon be at the revision. */
	open(
		experiment: string,
		version: number,
		near: number,
	): Promise<SumsTimeline>;
	/** Oldest revision under which nothing was erased or dropped since; 0 where nothing ever was. */
	floor(experiment: string): Promise<number>;
}

/** Definition rows by id, current or not; ids that name none are left out. */
export interface DefinitionRows {
	byIds(ids: readonly number[]): Promise<readonly Definition[]>;
}

/** Logged decisions, of one experiment or of all, read a page at a time. */
export interface LoggedDecisions {
	/** The greatest id there is. */
	newest(): Promise<string | null>;
	/** Those after an id and up to another, in the order of ids. */
	between(
		after: string | null,
		newest: string,
		most: number,
		experiment?: string,
	): Promise<readonly DecisionRow[]>;
	/** Ids drawn evenly from all, ascending; the same ones for the same seed and log. */
	sample(
		most: number,
		seed: number,
		experiment?: string,
	): Promise<readonly string[]>;
	byIds(ids: readonly string[]): Promise<readonly DecisionRow[]>;
}
