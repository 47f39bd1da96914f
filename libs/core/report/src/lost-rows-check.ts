import type { BookedCounts } from "#core/booking";
import type { CheckSummary } from "./checks.js";

/** Publishers number what they publish, so what never came is known. */
export function checkLostRows(
	booked: BookedCounts,
	lostPacks: number,
): CheckSummary {
	return {
		check: "lost rows",
		status: lostPacks > 0 ? "failed" : "passed",
		pValue: null,
		sentence:
			lostPacks > 0
				? `${lostPacks.toLocaleString("en-US")} packs of decisions were published and never came.`
				: `No pack of decisions is missing, of those that ${booked.freshness.decisions.toLocaleString("en-US")} booked decisions came with.`,
		covers: ["lift", "segments", "metrics", "values of arms"],
		footnote: "row-loss",
	};
}
