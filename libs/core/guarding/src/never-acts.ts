import type { Experiment, Guardrail } from "#core/experiment";
import { metricsOf } from "#core/metrics";
import { isCountedElsewhere } from "./guard-plan.js";

/** Why a guardrail is in no book, for people; null where it is. Only rows that were stored before such were refused have one. */
export function whyNeverActs(
	experiment: Experiment,
	{ metric: name }: Guardrail,
): string | null {
	const metric = metricsOf(experiment).find((one) => one.name === name);
	if (metric === undefined)
		return `No metric of the name ${name} is known, so this guardrail never acts: name one that is, or take it out.`;
	if (isCountedElsewhere(metric))
		return `${name} counts over a span of its own, which no guardrail follows, so this one never acts: guard what a single decision comes to, such as skip_rate or save_rate.`;
	return null;
}
