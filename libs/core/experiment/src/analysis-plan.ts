import { canonicalJson } from "./canonical-json.js";
import type {
	Experiment,
	ExperimentState,
	JsonObject,
	JsonValue,
	Problem,
} from "./experiment.js";
import type { PrimaryMetric } from "./metric-names.js";
import { renderExperiment } from "./render-experiment.js";

/** τ of the normal mixture, in standard errors of the lift at the planned size: the interval is narrowest about there. */
export const TAU_IN_STANDARD_ERRORS = 2.82;
/** Where nothing is known of the spread: a fixed-horizon test of the planned size would find the smallest effect 4 times of 5. */
const EFFECT_IN_STANDARD_ERRORS = 2.8;

/** How the primary metric will be judged: fixed from the start of an analysis on. */
export interface AnalysisPlan extends PrimaryMetric {
	/** Standard error of the lift at the planned size, in the metric's own unit. */
	readonly standardError: number;
	/** τ of the lift's interval, in the metric's own unit. */
	readonly tau: number;
}

/** Null where no primary metric is declared, or where nobody, or everybody, is control: then there is no lift to judge. */
export function analysisPlan({
	metrics,
	traffic,
}: Pick<Experiment, "metrics" | "traffic">): AnalysisPlan | null {
	const primary = metrics?.primary;
	if (primary === undefined) return null;
	if (traffic.control <= 0 || traffic.control >= 1) return null;
	const standardError = plannedStandardError(primary, traffic.control);
	const tau = TAU_IN_STANDARD_ERRORS * standardError;
	return { ...primary, standardError, tau };
}

/**
 * spread · √(1/(N(1 − c)) + 1/(Nc)), for N planned units of which the share c is control.
 * @returns in the metric's own unit
 */
function plannedStandardError(
	{ smallestEffect, plannedUnits, spread, expected }: PrimaryMetric,
	control: number,
): number {
	const ofUnits =
		spread ??
		(expected === undefined ? null : Math.sqrt(expected * (1 - expected)));
	if (ofUnits === null) return smallestEffect / EFFECT_IN_STANDARD_ERRORS;
	const policyUnits = plannedUnits * (1 - control);
	const controlUnits = plannedUnits * control;
	return ofUnits * Math.sqrt(1 / policyUnits + 1 / controlUnits);
}

/** What an edit would change of that which is fixed until the stop; none unless the experiment is running or paused. */
export function frozenProblems(
	current: { readonly experiment: Experiment; readonly state: ExperimentState },
	after: Experiment,
): Problem[] {
	const { experiment: before, state } = current;
	if (state !== "running" && state !== "paused") return [];
	const old = planOf(before);
	const now = planOf(after);
	return Object.keys(old)
		.filter((path) => canonicalJson(old[path]) !== canonicalJson(now[path]))
		.map((path) => ({
			path,
			message: `It is fixed while the experiment is ${state}: what an experiment is judged by is chosen before anybody has seen a result. Stop it, change this, and start it: that begins a new run and a new analysis.`,
		}));
}

/** Metrics that were not declared at the start, and so prove nothing by themselves. */
export function exploratoryReasons(
	current: { readonly experiment: Experiment; readonly state: ExperimentState },
	after: Experiment,
): string[] {
	if (current.state !== "running" && current.state !== "paused") return [];
	const before = secondaryOf(current.experiment);
	const added = Object.entries(secondaryOf(after))
		.filter(([name, told]) => before[name] !== told)
		.map(([name]) => name);
	if (added.length === 0) return [];
	return [
		`Declared while the experiment is ${current.state}, so labelled exploratory until it is stopped and started again: ${added.join(", ")}.`,
	];
}

/** By the paths at which they are written. */
function planOf(experiment: Experiment): Record<string, JsonValue> {
	const { segments = null, covariate = null } = experiment;
	const primary = experiment.metrics?.primary;
	return {
		"metrics.primary": primary === undefined ? null : { ...primary },
		...(primary !== undefined && {
			"metrics.define": definitionOf(experiment, primary.metric),
		}),
		segments,
		covariate,
	};
}

/** Each secondary metric with all that says what it is. */
function secondaryOf(experiment: Experiment): Record<string, string> {
	const names = experiment.metrics?.secondary ?? [];
	return Object.fromEntries(
		names.map((name) => [name, canonicalJson(definitionOf(experiment, name))]),
	);
}

/** Null for a metric that is built in. */
function definitionOf(experiment: Experiment, name: string): JsonValue {
	const { metrics } = renderExperiment(experiment);
	const define = (metrics as JsonObject | undefined)?.define ?? [];
	return (
		(define as readonly JsonObject[]).find((own) => own.name === name) ?? null
	);
}
