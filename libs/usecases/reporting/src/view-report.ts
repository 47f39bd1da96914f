import type { Report } from "#core/report";

/** A report as the API shows it: times as ISO 8601. */
export type ReportView = Omit<Report, "freshness"> & {
	readonly freshness: {
		readonly revision: number;
		readonly firstDecisionAt: string | null;
		readonly lastDecisionAt: string | null;
	};
};

export function viewReport(report: Report): ReportView {
	const { revision, firstDecidedAt, lastDecidedAt } = report.freshness;
	return {
		...report,
		freshness: {
			revision,
			firstDecisionAt: iso(firstDecidedAt),
			lastDecisionAt: iso(lastDecidedAt),
		},
	};
}

function iso(time: number | null): string | null {
	return time === null ? null : new Date(time).toISOString();
}
