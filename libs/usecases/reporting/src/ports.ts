import type { BookedCounts } from "#core/booking";
import type { ArmCounts } from "#core/report";
import type { StoredDefinition } from "#usecases/defining";

/** Rollups of one version of an experiment, by the run that they are booked in. */
export interface ReportedRun {
	readonly experiment: string;
	readonly version: number;
	readonly run: number;
}

/** Decisions that booking has not come to. */
export interface OpenDecisions {
	/** By group and arm; null where they are too many to count while somebody waits. */
	readonly arms: readonly ArmCounts[] | null;
	/** Milliseconds since the epoch; null where there is none. */
	readonly firstAt: number | null;
	readonly lastAt: number | null;
}

/** Of what no run is known by. */
export interface InstallationCounts {
	/** Not redriven yet. */
	readonly deadLetters: number;
	/** Events whose decision has not been stored yet. */
	readonly waitingEvents: number;
	/** Packs of decisions that were published and never came, noticed since the analysis began. */
	readonly lostPacks: number;
	/** Of the experiment: events that came too late to count. */
	readonly lateEvents: number;
}

/** Read models of a report: short reads, none of the log but of what is not booked yet, and of that no more than is quickly read. */
export interface ReportReads {
	/** The rollups of each run that was asked for, in that order; a run of which nothing is booked has empty ones. */
	booked(runs: readonly ReportedRun[]): Promise<readonly BookedCounts[]>;
	open(
		run: ReportedRun,
		after: BookedCounts["freshness"],
	): Promise<OpenDecisions>;
	/** @param since milliseconds since the epoch */
	installation(experiment: string, since: number): Promise<InstallationCounts>;
}

/** The definition rows that a report goes by. */
export interface ReportedAnalysis {
	/** As it is now. */
	readonly definition: StoredDefinition;
	/** The same, or where that has not run yet the last that did: an edit after the stop leaves the finished analysis to be read. */
	readonly told: StoredDefinition;
	/** Of the told analysis, drafts apart: its first row, and the last of each run and epoch that it is booked in; ascending. */
	readonly rows: readonly StoredDefinition[];
	/** Another version or analysis ran before it, or in between. */
	readonly servedBefore: boolean;
	/** All of its rows, drafts apart, were `sticky: unit`: also those that are not among `rows`. */
	readonly isStickyByUnit: boolean;
	/** While it ran, the policy's kind was the same in all of its rows, and its arm if it is fixed. */
	readonly hasOnePolicy: boolean;
}

/** Found among all rows that an experiment ever had, however many: what a report goes by does not move when others are added. */
export interface ReportedAnalyses {
	/** Null where there is no such experiment. */
	current(key: string): Promise<ReportedAnalysis | null>;
}
