import type { ReportCounts } from "#core/report";

export interface ReportReads {
	/** Exact counts and sums over the log of one version of an experiment, from short reads. */
	counts(experiment: string, version: number): Promise<ReportCounts>;
}
