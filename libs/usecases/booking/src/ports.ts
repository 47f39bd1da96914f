import type {
	Bookable,
	BookedCounts,
	BookedUpTo,
	BookingChanges,
	BookingFreshness,
	Correction,
	RunKey,
	ScoreBlock,
	StoredRun,
	StoredUnit,
	UnitKey,
} from "#core/booking";

/** How far an experiment is booked, as this process found it. */
export interface BookingState extends BookedUpTo {
	readonly experiment: string;
	/** The largest id of a decision that the log was seen to have. */
	readonly newestId: string;
	/** Grows with each erasure that took something out of the rollups, or out of what a step may have read. */
	readonly erasures: number;
}

/** Where booking stands after a step. */
export interface BookedNext extends BookedUpTo {
	readonly newestId: string;
	/** Where the sums over all units are to be kept as they are now: all decisions before that instant are booked, milliseconds. */
	readonly look: number | null;
}

/** Some revisions of the log, as they change what is booked. */
export interface LogPart {
	/** The last of them. */
	readonly to: number;
	readonly corrections: readonly Correction[];
	/** The largest id of a decision that they stored; null where they stored none. */
	readonly newestId: string | null;
}

/**
 * The log and the rollups of it. What is read of a state holds as long as the state does: rollups change with it only, and the log is read
 * as it stood at its revision.
 */
export interface BookingLog {
	/** Experiments with revisions or decisions that are not booked, or with cohorts that may close; `clock` in milliseconds. */
	behind(clock: number): Promise<readonly string[]>;
	/** For this process to book; null where another is at it. Revision 0: nothing was booked, and the cursor is below all of its decisions. */
	claim(experiment: string): Promise<BookingState | null>;
	/** How far the experiment's log goes; no decision up to the revision has a larger id. */
	newest(experiment: string): Promise<{
		readonly revision: number;
		readonly newestId: string;
	}>;
	/** The next revisions after the state's, a bounded number of them; null where there is none. */
	part(state: BookingState): Promise<LogPart | null>;
	/** Decisions after the cursor and up to `upTo`, in the order of ids. */
	page(
		state: BookingState,
		upTo: string,
		most: number,
	): Promise<readonly Bookable[]>;
	/** All decisions of the units up to a cursor, as they stood at a revision. */
	decisionsOf(
		experiment: string,
		units: readonly UnitKey[],
		upTo: Pick<BookedUpTo, "cursor" | "revision">,
	): Promise<readonly Bookable[]>;
	/** Those of them that are stored. */
	units(
		experiment: string,
		keys: readonly UnitKey[],
	): Promise<readonly StoredUnit[]>;
	runs(
		experiment: string,
		keys: readonly RunKey[],
	): Promise<readonly StoredRun[]>;
	/** Units whose first decision lies in one of the hours, by the number of their rows, after one of them. */
	unitsOfHours(
		experiment: string,
		hours: readonly number[],
		after: number | null,
		most: number,
	): Promise<readonly StoredUnit[]>;
	/** False where another process, or an erasure, came first: then nothing is stored. */
	commit(
		state: BookingState,
		next: BookedNext,
		changes: BookingChanges,
	): Promise<boolean>;
}

/** What reports read of rollups, without the log. */
export interface BookedReads {
	counts(
		experiment: string,
		version: number,
		run: number,
	): Promise<BookedCounts>;
	freshness(experiment: string): Promise<BookingFreshness>;
}

/** The log and its rollups, as they are counted again. */
export interface BookedLog extends Pick<BookingLog, "page" | "decisionsOf"> {
	/** Experiments of which something is booked. */
	booked(): Promise<readonly string[]>;
	/** Keeps others from booking the experiment for a quarter of a minute; waits for one who is at it, until the signal is aborted. */
	hold(experiment: string, signal?: AbortSignal): Promise<BookingState>;
	/** Lets others go on, also where it was not held. */
	release(experiment: string): Promise<void>;
	/** The id before which the log's days are gone. */
	horizon(): Promise<string>;
	rollups(experiment: string): Promise<StoredRollups>;
	/** Units by the number of their rows, after one of them. */
	unitsAfter(
		experiment: string,
		after: number,
		most: number,
	): Promise<readonly StoredUnit[]>;
	/** How booked decisions are in the scores, by id. */
	inScores(
		experiment: string,
		decisions: readonly Bookable[],
	): Promise<{
		readonly unbooked: ReadonlySet<string>;
		readonly blocks: ReadonlyMap<string, ScoreBlock>;
	}>;
}

export interface StoredRollups {
	readonly runs: readonly StoredRun[];
	/** As `countsOf` names them. */
	readonly counts: ReadonlyMap<string, readonly bigint[]>;
	/** Units whose rows went with the days of the log. */
	readonly forgotten: number;
	/** Days of the log with decisions of it are gone. */
	readonly isCut: boolean;
}
