import type {
	GuardrailDocument,
	MetricsDocument,
} from "./analysis-document.js";
import type { Placed } from "./check-context.js";
import type { TrafficDocument } from "./document.js";
import type { Problem } from "./experiment.js";
import { toTraffic } from "./from-document.js";
import { BUILT_IN_METRICS, isBuiltIn } from "./metric-names.js";
import { nearestKey } from "./nearest-key.js";
import { RETRACT } from "./patterns.js";

const BUILT_IN = Object.keys(BUILT_IN_METRICS);
const DEFINE = "metrics.define gives the experiment metrics of its own.";

/** What is wrong with the metrics that an experiment declares. */
export function metricProblems(metrics: MetricsDocument): Problem[] {
	const { primary, secondary = [], define = [] } = metrics;
	const known = knownMetrics(metrics);
	const problems = define.flatMap(({ name, event, per }, index): Problem[] => {
		const path = `metrics.define[${index}]`;
		const first = define.findIndex((other) => other.name === name);
		return [
			...say(
				isBuiltIn(name),
				`${path}.name`,
				`${name} is built in, with a meaning of its own: use another name.`,
			),
			...say(
				first < index,
				`${path}.name`,
				`define[${first}] is called ${name} too; names must differ.`,
			),
			...say(
				event === RETRACT,
				`${path}.event`,
				"A retract takes an event back; it cannot be counted.",
			),
			...say(
				per === RETRACT,
				`${path}.per`,
				"A retract takes an event back; nothing is counted per retract. Say impression, decision, unit, or another event's type.",
			),
		];
	});
	if (primary !== undefined) {
		problems.push(
			...nameProblems(primary.metric, "metrics.primary.metric", known),
			...say(
				primary.spread !== undefined && primary.expected !== undefined,
				"metrics.primary.expected",
				"Instead of spread, not beside it: keep one of the two.",
			),
		);
	}
	secondary.forEach((name, index) => {
		const path = `metrics.secondary[${index}]`;
		problems.push(
			...nameProblems(name, path, known),
			...say(secondary.indexOf(name) < index, path, `${name} is listed twice.`),
			...say(
				name === primary?.metric,
				path,
				`${name} is the primary metric already: leave it out here.`,
			),
		);
	});
	return problems;
}

/** A name that is neither built in nor one of the experiment's own. */
function nameProblems(
	name: string,
	path: string,
	known: readonly string[],
): Problem[] {
	if (known.includes(name)) return [];
	const near = nearestKey(name, known);
	const hint =
		near === null
			? `Known are ${known.join(", ")}; ${DEFINE}`
			: `Did you mean "${near}"? Else ${DEFINE}`;
	return [{ path, message: `There is no metric "${name}". ${hint}` }];
}

function knownMetrics({ define = [] }: MetricsDocument): string[] {
	return [...BUILT_IN, ...define.map(({ name }) => name)];
}

/** What makes a guardrail none, whenever it was taken. */
export function guardrailProblems(
	guardrails: readonly Placed<GuardrailDocument>[],
	traffic: TrafficDocument | null,
): Problem[] {
	return guardrails.flatMap(({ index, value }) => {
		const path = `guardrails[${index}]`;
		const { max, min, versus, margin } = value;
		const isLimit = max !== undefined || min !== undefined;
		const control = traffic === null ? null : toTraffic(traffic).control;
		return [
			...say(
				!isLimit && versus === undefined,
				path,
				"Needs max or min, or versus: control: without a bound it can never act.",
			),
			...say(
				isLimit && versus !== undefined,
				`${path}.versus`,
				"Either a limit (max, min) or a comparison (versus), not both: make two guardrails of it.",
			),
			...say(
				margin !== undefined && versus === undefined,
				`${path}.margin`,
				"A margin is how much worse than control is still taken: it needs versus: control.",
			),
			...say(
				versus !== undefined && (control === 0 || control === 1),
				`${path}.versus`,
				control === 0
					? "Nobody is control, so there is nothing to compare with: set traffic.control, such as 0.1, or give max or min instead."
					: "Everyone is control, so there is no policy to compare with it: set traffic.control below 1.",
			),
		];
	});
}

/** What is refused of a person only: rows were stored before these rules, and what serves must go on to be read. */
export function writtenGuardrailProblems(
	guardrails: readonly Placed<GuardrailDocument>[],
	metrics: MetricsDocument | null,
): Problem[] {
	return guardrails.flatMap(({ index, value: { metric, max, min } }) => {
		const path = `guardrails[${index}]`;
		return [
			...say(
				max !== undefined && min !== undefined && max < min,
				`${path}.max`,
				`Must not be below min, which is ${min}: no value lies between them.`,
			),
			...say(
				hasOwnSpan(metric),
				`${path}.metric`,
				`${metric} counts over a span of its own, which tells of harm too late: guard what a single decision comes to, such as skip_rate or save_rate.`,
			),
			...(metrics === null
				? []
				: nameProblems(metric, `${path}.metric`, knownMetrics(metrics))),
		];
	});
}

function hasOwnSpan(metric: string): boolean {
	return isBuiltIn(metric) && "ownSpan" in BUILT_IN_METRICS[metric];
}

export function say(holds: boolean, path: string, message: string): Problem[] {
	return holds ? [{ path, message }] : [];
}
