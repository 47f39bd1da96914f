import type { Experiment } from "#core/experiment";
import { type AnalysisPlan, analysisPlan } from "#core/metrics";

/** What an experiment's planned size can tell, in sentences for who plans it. */
export function analysisInWords(experiment: Experiment): string[] {
	const { metrics, traffic } = experiment;
	if (metrics?.primary === undefined)
		return [
			"No primary metric is declared, so the report can show no lift that was planned for: declare metrics.primary before the start.",
		];
	const plan = analysisPlan(experiment);
	if (plan === null)
		return [
			`traffic.control is ${traffic.control}, so policy and control cannot be compared: no lift of ${metrics.primary.metric} can be told.`,
		];
	const { metric, plannedUnits, halfWidth, tau, detectable } = plan;
	return [
		`It is judged by ${metric}, at ${whole(plannedUnits)} units, about ${whole(plannedUnits * traffic.control)} of them control. This is fixed from the start until the stop.`,
		`There the standard error of its lift is ${short(plan.standardError)}, ${basis(plan)}; τ = ${short(tau)}; the 95 % interval, which holds whenever it is read, reaches ${short(halfWidth)} to either side.`,
		`So it finds a lift of ${short(detectable)} or more with a chance of 80 %; ${verdict(plan)}`,
	];
}

function basis({ spread, expected, smallestEffect }: AnalysisPlan): string {
	if (spread !== undefined) return `from a spread of ${short(spread)}`;
	if (expected !== undefined)
		return `from a rate of ${short(expected)} that is expected`;
	return `taken to be smallestEffect ${short(smallestEffect)} / 2.8, since neither spread nor expected is declared`;
}

function verdict({
	smallestEffect,
	detectable,
	plannedUnits,
	assumed,
}: AnalysisPlan): string {
	const smallest = `the smallest effect that matters, ${short(smallestEffect)}`;
	if (detectable <= smallestEffect) return `${smallest}, is among these.`;
	if (assumed)
		return `${smallest}, is not: declare spread or expected, to be told how many units it needs.`;
	// The standard error falls with the root of the units.
	const needed = plannedUnits * (detectable / smallestEffect) ** 2;
	return `${smallest}, needs about ${whole(Number(needed.toPrecision(3)))} units for that.`;
}

/** Three digits that count. */
function short(value: number): string {
	return String(Number(value.toPrecision(3)));
}

function whole(value: number): string {
	return Math.round(value).toLocaleString("en-US");
}
