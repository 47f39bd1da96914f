import type { ExperimentDocument } from "./document.js";
import { parseDuration, renderDuration } from "./duration.js";
import type { Problem, Sticky } from "./experiment.js";

const HOUR_MS = 3_600_000;
const SPAN_MS: Readonly<Record<Sticky, number>> = {
	session: 24 * HOUR_MS,
	unit: 90 * 24 * HOUR_MS,
};

/** For how long after a decision a repeated ask gets it again; later asks are new draws. */
export function stickySpanMs(sticky: Sticky): number {
	return SPAN_MS[sticky];
}

/** Outcomes past the window are late, though the decision still stands. */
export function stickyWarnings({
	sticky,
	reward,
}: Pick<ExperimentDocument, "sticky" | "reward">): Problem[] {
	if (sticky === undefined || sticky === "none") return [];
	const span = stickySpanMs(sticky);
	if ((parseDuration(reward.window) ?? 0) >= span) return [];
	return [
		{
			path: "reward.window",
			message: `${reward.window} is shorter than the ${renderDuration(span)} for which a ${sticky} may get the same decision again: what happens later than ${reward.window} after that decision is late and teaches nothing.`,
		},
	];
}
