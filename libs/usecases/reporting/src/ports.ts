import type { BookedCounts } from "#core/booking";
import type { ArmCounts } from "#core/report";

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
