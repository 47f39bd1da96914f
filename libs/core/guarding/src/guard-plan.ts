import {
	BUILT_IN_METRICS,
	type Experiment,
	type Guardrail,
	isBuiltIn,
} from "#core/experiment";
import { type Metric, metricsOf, rangeOf } from "#core/metrics";
import {
	DEFAULT_FIRST_LOOK,
	type GuardrailLevel,
	type GuardrailRule,
	mixtureScale,
	plannedStandardError,
	rateSpread,
} from "#core/statistics";

/** Probability that any guardrail of an experiment acts without cause, ever in a run; split over all their bounds. */
export const GUARDRAILS_ALPHA = 0.05;
/** Decisions at which a breach is to be found soonest: the boundary is narrowest about there. */
const PLANNED_DECISIONS = 1_000;
/** What is taken for control's rate before anybody knows it. */
const UNKNOWN_RATE = 0.2;
/** As `skip_rate` counts. */
const SKIP_WITHIN_MS = 30_000;

/** One bound of a guardrail: a guardrail with both max and min has two. */
export interface Guard {
	/** Which of the definition's guardrails. */
	readonly guardrail: number;
	readonly metric: string;
	/** Which of the book's metrics. */
	readonly column: number;
	readonly action: Guardrail["action"];
	readonly rule: GuardrailRule;
	readonly level: GuardrailLevel;
	/** A share: told in per cent. */
	readonly isShare: boolean;
	/** What the metric is measured in, in words. */
	readonly unit: string;
}

/** What is counted once the same time has passed since each decision. */
export interface GuardBook {
	/** Milliseconds since a decision from which on it counts, and up to which its events do. */
	readonly withinMs: number;
	readonly metrics: readonly BookMetric[];
	readonly guards: readonly Guard[];
}

export interface BookMetric extends Metric {
	/** Its place among the metrics of the experiment. */
	readonly place: number;
}

/** What of an experiment is watched: nothing without guardrails. The same experiment has the same plan, so it is fixed before the start. */
export function guardPlan(experiment: Experiment): readonly GuardBook[] {
	const bounds = experiment.guardrails.flatMap(boundsOf(experiment));
	const alpha = GUARDRAILS_ALPHA / bounds.length;
	const all = metricsOf(experiment);
	const books = new Map<
		number,
		{ withinMs: number; metrics: BookMetric[]; guards: Guard[] }
	>();
	for (const { index, guardrail, rule } of bounds) {
		const place = all.findIndex(({ name }) => name === guardrail.metric);
		const metric = all[place];
		if (metric === undefined || isCountedElsewhere(metric)) continue;
		const withinMs = withinOf(experiment, guardrail, metric);
		let book = books.get(withinMs);
		if (book === undefined) {
			book = { withinMs, metrics: [], guards: [] };
			books.set(withinMs, book);
		}
		let column = book.metrics.findIndex((one) => one.place === place);
		if (column < 0) column = book.metrics.push({ ...metric, place }) - 1;
		book.guards.push({
			guardrail: index,
			metric: guardrail.metric,
			column,
			action: guardrail.action,
			rule,
			level: {
				alpha,
				tau: mixtureScale(errorAtPlan(experiment, metric, rule)),
				range: rangeOf(metric, experiment.reward),
				rest: metric.measure === "reward" ? experiment.reward.default : 0,
				isRate: isRate(metric),
				firstLook: { ...DEFAULT_FIRST_LOOK, ...guardrail.firstLook },
			},
			isShare: isRate(metric),
			unit: unitOf(experiment, guardrail.metric),
		});
	}
	return [...books.values()];
}

function boundsOf(experiment: Experiment) {
	return (guardrail: Guardrail, index: number) => {
		const { max, min, versus, margin = 0 } = guardrail;
		const rules: GuardrailRule[] = [];
		if (max !== undefined) rules.push({ kind: "max", limit: max });
		if (min !== undefined) rules.push({ kind: "min", limit: min });
		if (versus !== undefined)
			rules.push({
				kind: "versusControl",
				margin,
				worse: worseOf(experiment, guardrail.metric),
			});
		return rules.map((rule) => ({ index, guardrail, rule }));
	};
}

/** C is n at most. */
function isRate({ measure }: Metric): boolean {
	return measure === "share";
}

/** Metrics of sessions and of coming back are no sums over decisions. */
export function isCountedElsewhere({ per }: Metric): boolean {
	return per === "session" || per === "closed unit";
}

function withinOf(
	{ reward, metrics }: Experiment,
	{ metric: name, withinMs }: Guardrail,
	{ per }: Metric,
): number {
	const own = metrics?.define.find((one) => one.name === name)?.withinMs;
	const span =
		withinMs ??
		(name === "skip_rate" ? SKIP_WITHIN_MS : (own ?? reward.windowMs));
	// Before its window closes such a decision has not been learned.
	return per === "learned" && reward.learn === "windowClose"
		? Math.max(span, reward.windowMs)
		: span;
}

function worseOf({ metrics }: Experiment, name: string): "higher" | "lower" {
	const { better } = isBuiltIn(name)
		? BUILT_IN_METRICS[name]
		: (metrics?.define.find((own) => own.name === name) ?? {
				better: "higher" as const,
			});
	return better === "higher" ? "lower" : "higher";
}

function unitOf({ metrics }: Experiment, name: string): string {
	return isBuiltIn(name)
		? BUILT_IN_METRICS[name].unit
		: (metrics?.define.find((own) => own.name === name)?.unit ?? "");
}

/** SE of what a guard looks at, at the size where a breach is to be found: a guess, on which only how soon it is found depends. */
function errorAtPlan(
	experiment: Experiment,
	metric: Metric,
	rule: GuardrailRule,
): number {
	const spread = spreadOf(experiment, metric, rule);
	const { control } = experiment.traffic;
	if (rule.kind !== "versusControl")
		return spread / Math.sqrt(PLANNED_DECISIONS);
	const units = PLANNED_DECISIONS / (1 - control);
	return plannedStandardError({ spread, units, control });
}

function spreadOf(
	{ reward, metrics }: Experiment,
	{ name, measure }: Metric,
	rule: GuardrailRule,
): number {
	const { primary } = metrics ?? {};
	if (primary?.metric === name && primary.spread !== undefined)
		return primary.spread;
	const [low, high] = reward.range;
	const limit = rule.kind === "versusControl" ? null : Math.abs(rule.limit);
	switch (measure) {
		case "share": {
			const p = limit ?? primary?.expected ?? UNKNOWN_RATE;
			return p > 0 && p < 1 ? rateSpread(p) : rateSpread(UNKNOWN_RATE);
		}
		case "reward":
			return (high - low) / 4;
		default:
			// Counts, times and sums of money spread about as wide as they are.
			return limit !== null && limit > 0 ? limit : 1;
	}
}
