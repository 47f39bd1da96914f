import type { ExperimentDocument } from "./document.js";
import { parseDuration, renderDuration } from "./duration.js";
import type { Problem, Sticky } from "./experiment.js";
import { isBuiltIn } from "./metric-names.js";

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
	metrics,
}: Pick<ExperimentDocument, "sticky" | "reward" | "metrics">): Problem[] {
	if (sticky === undefined || sticky === "none") return [];
	const untold = sticky === "unit" ? returnsIn(metrics) : [];
	const span = stickySpanMs(sticky);
	if ((parseDuration(reward.window) ?? 0) >= span) return untold;
	return [
		...untold,
		{
			path: "reward.window",
			message: `${reward.window} is shorter than the ${renderDuration(span)} for which a ${sticky} may get the same decision again: what happens later than ${reward.window} after that decision is late and teaches nothing.`,
		},
	];
}

/** Of metrics that count later decisions, which a unit does not make while one stands for it. */
function returnsIn({
	primary,
	secondary = [],
}: ExperimentDocument["metrics"] = {}): Problem[] {
	const declared = [
		["metrics.primary.metric", primary?.metric],
		...secondary.map((name, i) => [`metrics.secondary[${i}]`, name]),
	];
	return declared.flatMap(([path = "", name = ""]) =>
		/^return_/.test(name) && isBuiltIn(name)
			? [
					{
						path,
						message: `${name} will not be told: with sticky: unit a unit that comes back is given the decision that stands, and no new one. Send an event of your own when it comes back, with the decisionId, and define a metric of it.`,
					},
				]
			: [],
	);
}
