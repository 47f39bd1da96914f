import type { Report } from "#core/report";

/** A report as the API shows it: times as ISO 8601. */
export type ReportView = Omit<Report, "freshness" | "timeline"> & {
	readonly freshness: {
		readonly revision: number;
		readonly firstDecisionAt: string | null;
		readonly lastDecisionAt: string | null;
		readonly closedUntil: string | null;
		readonly waiting: number;
	};
	readonly timeline: {
		readonly [part in keyof Report["timeline"]]: readonly (Omit<
			Report["timeline"][part][number],
			"at"
		> & { readonly at: string })[];
	};
};

export function viewReport(report: Report): ReportView {
	const { revision, firstDecidedAt, lastDecidedAt, closedUntil, waiting } =
		report.freshness;
	const { looks, traffic, marks } = report.timeline;
	return {
		...report,
		freshness: {
			revision,
			firstDecisionAt: iso(firstDecidedAt),
			lastDecisionAt: iso(lastDecidedAt),
			closedUntil: iso(closedUntil),
			waiting,
		},
		timeline: {
			looks: looks.map(dated),
			traffic: traffic.map(dated),
			marks: marks.map(dated),
		},
	};
}

function iso(time: number | null): string | null {
	return time === null ? null : new Date(time).toISOString();
}

function dated<T extends { readonly at: number }>(
	one: T,
): Omit<T, "at"> & { readonly at: string } {
	return { ...one, at: new Date(one.at).toISOString() };
}
