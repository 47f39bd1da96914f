import type { AlarmKind, ContextCounts, Launch } from "#core/health";
import type { DecisionRow } from "#core/log";

/** What is read of a decision's row. */
export type LoggedContext = Pick<
	DecisionRow,
	"id" | "experiment" | "definitionId" | "context" | "x" | "missing" | "extra"
>;

/** A version of an experiment's context between a start and the next. */
export interface Run {
	readonly experiment: string;
	readonly version: number;
	readonly run: number;
}

/** Some revisions of an experiment's log, not folded yet: those above `after`, up to `to`. */
export interface LogPart {
	readonly experiment: string;
	readonly after: number;
	readonly to: number;
}

export interface StoredLaunch {
	/** Decisions above this revision are its launch. */
	readonly sinceRevision: number;
	/** How many there are so far, or were when it was made. */
	readonly decisions: number;
	/** Null: not enough decisions yet. */
	readonly launch: Launch | null;
}

/** What a fold of a part changes, stored whole or not at all. */
export interface ContextChanges {
	readonly launches: readonly {
		readonly run: Run;
		readonly stored: StoredLaunch;
	}[];
	/** To be added to what the hour has; `hour` in milliseconds since the epoch. */
	readonly hours: readonly {
		readonly run: Run;
		readonly hour: number;
		readonly counts: ContextCounts;
	}[];
}

/** The log as it is folded into counts. */
export interface ContextLog {
	/** Experiments whose log has grown since it was folded. */
	behind(): Promise<readonly string[]>;
	/** The next part, for this process to fold; null where there is none, or another process is at it. */
	claim(experiment: string): Promise<LogPart | null>;
	/** Rows of a part by id, from behind `afterId` on. Of a run: only those that were decided while it was running. */
	rows(
		part: LogPart,
		afterId: string | null,
		most: number,
		run?: Run,
	): Promise<readonly LoggedContext[]>;
	launch(run: Run): Promise<StoredLaunch | null>;
	/** False where another process folded the part meanwhile: then nothing is stored. */
	commit(part: LogPart, changes: ContextChanges): Promise<boolean>;
}

/** What is read of what was folded. */
export interface ContextReads {
	/** Null before the run's first decision was folded. */
	launch(run: Run): Promise<StoredLaunch | null>;
	/** Of the hours from one on, milliseconds since the epoch, all together; null where there are none. */
	counts(run: Run, fromHour: number): Promise<ContextCounts | null>;
	/** Up to which revision the experiment's log is folded, and how far it goes. */
	folded(
		experiment: string,
	): Promise<{ readonly revision: number; readonly newest: number }>;
	/** Contexts of the experiment's newest decisions, newest first. */
	newestContexts(
		experiment: string,
		most: number,
	): Promise<readonly LoggedContext["context"][]>;
}

export interface ContextAlarm {
	readonly feature: string;
	readonly kind: AlarmKind;
}

export interface ContextAlarms {
	/** Notes what stands; returns those that nobody had noted within the last hour. */
	note(
		run: Run,
		standing: readonly ContextAlarm[],
	): Promise<readonly ContextAlarm[]>;
}
