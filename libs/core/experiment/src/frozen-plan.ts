import { canonicalJson } from "./canonical-json.js";
import type {
	Experiment,
	ExperimentState,
	JsonObject,
	JsonValue,
	Problem,
} from "./experiment.js";
import { renderExperiment } from "./render-experiment.js";

/** What an edit would change of that which is fixed until the stop; none unless the experiment is running or paused. */
export function frozenProblems(
	current: { readonly experiment: Experiment; readonly state: ExperimentState },
	after: Experiment,
): Problem[] {
	const { experiment: before, state } = current;
	if (state !== "running" && state !== "paused") return [];
	const defined = (before.metrics?.define ?? []).map(({ name }) => name);
	const old = planOf(before, defined);
	const now = planOf(after, defined);
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

/**
 * By the paths at which they are written.
 * @param defined names of own metrics whose meaning is fixed: what was counted under a name cannot be counted otherwise
 */
function planOf(
	experiment: Experiment,
	defined: readonly string[],
): Record<string, JsonValue> {
	const { segments = null, covariate = null } = experiment;
	const primary = experiment.metrics?.primary;
	return {
		"metrics.primary": primary === undefined ? null : { ...primary },
		"metrics.define": defined.map((name) => definitionOf(experiment, name)),
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
