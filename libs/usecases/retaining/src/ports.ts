import type { LoggedState, StoredBucket } from "#usecases/learning";

/** Rows of one UTC day of the log. */
export interface DayCounts {
	readonly decisions: number;
	readonly outcomes: number;
	/** Events that named no decision. */
	readonly signals: number;
	/** Ids that had outcomes, but whose decision never came. */
	readonly waiting: number;
}

export interface DroppedDay {
	/** The revision of each experiment that the day had decisions of. */
	readonly revisions: ReadonlyMap<string, number>;
	/** Sums that stay, per version, arm and time bucket. */
	readonly buckets: number;
}

/** Rows that were left from before the horizon, outside the log's partitions. */
export interface SweptRows {
	readonly requests: number;
	readonly deadLetters: number;
	readonly revisions: number;
}

/** The log as far as it may be forgotten. Days are UTC, `2026-01-05`. */
export interface RetainedLog {
	/** Runs the work unless it runs elsewhere already; then resolves with null. */
	alone<T>(work: () => Promise<T>): Promise<T | null>;
	/** Days of the log that lie before one, oldest first. */
	days(before: string): Promise<readonly string[]>;
	count(day: string): Promise<DayCounts>;
	/** From now on nothing of a day before this one enters the log; what was on its way has. Never moves back. */
	moveHorizon(before: string): Promise<void>;
	/** Experiments whose decisions of a day behind the horizon are not all in the rollups that reports are made of. */
	unbooked(day: string): Promise<readonly string[]>;
	/** Grows with every erasure and every drop. */
	floors(): Promise<number>;
	/** Decisions of a day behind the horizon, after an id, with all their outcomes, in the order of ids. */
	page(
		day: string,
		afterId: string | null,
		most: number,
	): Promise<readonly LoggedState[]>;
	/** The sums of the day's time buckets. */
	storedSums(day: string): Promise<
		readonly {
			readonly experiment: string;
			readonly buckets: readonly StoredBucket[];
		}[]
	>;
	/** Adds up the shards of some of the day's buckets into one. Returns the revisions taken; none where nothing is left to be done. */
	mergeSome(day: string): Promise<ReadonlyMap<string, number>>;
	/** Stores the merged sums as closed and drops the day, in one transaction. Null where a bucket is not merged, so that it is to be tried again. */
	drop(
		day: string,
		counts: DayCounts,
		experiments: readonly string[],
	): Promise<DroppedDay | null>;
	/** Deletes what is left of days before the horizon elsewhere, a bounded number of rows at a time. */
	sweep(): Promise<SweptRows>;
}

/** From when on the stream has every message, as deciders are told. */
export interface StreamCuts {
	/** Does nothing where another process is at it. `cut` is to be called before messages are dropped that were stored before the instant, milliseconds. */
	cutAlone(
		work: (cut: (before: number) => Promise<void>) => Promise<void>,
	): Promise<void>;
}
