import { z } from "zod";
import { quantise } from "#core/linalg";
import { parseDuration } from "./duration.js";
import type { Guardrail, Schedule } from "./experiment.js";
import { duration, eventType, featureName } from "./field-schemas.js";
import type { Metrics, OwnMetric } from "./metric-names.js";
import { FEATURE_NAME, MOST_VALUE } from "./patterns.js";

/** The document form of what an experiment is judged by, and when it runs: metrics, guardrails, segments, covariate, schedule. */

const MOST_METRICS = 20;
const MOST_SEGMENTS = 8;
/** A report says nothing before there are so many units in each group. */
export const FIRST_LOOK_UNITS = 100;

const metricName = z
	.string()
	.regex(FEATURE_NAME, "Must be a metric's name, such as skip_rate.");
const positive = z.number().positive("Must be above 0.").max(MOST_VALUE);

const primarySchema = z.strictObject({
	metric: metricName,
	smallestEffect: positive.describe(
		"The smallest lift that matters, in the metric's own unit: 0.02 of a rate is two points.",
	),
	plannedUnits: z
		.int()
		.min(2 * FIRST_LOOK_UNITS)
		.max(1e9)
		.describe("Units that will take part, policy and control together."),
	spread: positive
		.optional()
		.describe(
			"Standard deviation of the metric from unit to unit. Neither this nor expected: the standard error at the planned size is taken to be smallestEffect / 2.8.",
		),
	expected: z
		.number()
		.gt(0, "Must be above 0.")
		.lt(1)
		.optional()
		.describe(
			"Instead of spread: the rate that is expected; its spread is √(p(1 − p)).",
		),
});

export const ownMetricSchema = z.strictObject({
	name: featureName,
	event: eventType.describe("Type of the events that are counted."),
	per: eventType
		.optional()
		.describe(
			"What it is divided by: decision, each that was learned; impression, each that was shown; unit; or the type of another event, each decision with one. Default impression.",
		),
	count: z
		.enum(["once", "each", "value"])
		.optional()
		.describe(
			"once: whether there was such an event; each: how many; value: the sum of their values. Default once.",
		),
	within: duration
		.optional()
		.describe(
			"Later than this after the decision, an event does not count. Default the reward's window.",
		),
	cap: z
		.number()
		.min(2 ** -12)
		.max(MOST_VALUE)
		.optional()
		.describe("The most that one unit's total counts for (winsorising)."),
	unit: z
		.string()
		.min(1)
		.max(32)
		.optional()
		.describe(
			"What its values are measured in, in words. Default share, events or value, by count.",
		),
	better: z
		.enum(["higher", "lower"])
		.optional()
		.describe("Which way is the better one. Default higher."),
});

export const metricsSchema = z.strictObject({
	primary: primarySchema
		.optional()
		.describe(
			"The one metric the experiment is judged by. Fixed from the start until the stop.",
		),
	secondary: z
		.array(metricName)
		.max(MOST_METRICS)
		.optional()
		.describe(
			"Metrics that are looked at beside it; what is added while it runs is labelled exploratory.",
		),
	define: z
		.array(ownMetricSchema)
		.max(MOST_METRICS)
		.optional()
		.describe("The experiment's own metrics, beside those built in."),
});

export const guardrailSchema = z.strictObject({
	metric: metricName,
	max: z.number().optional(),
	min: z.number().optional(),
	action: z.enum(["alert", "pause", "control"]),
	versus: z
		.literal("control")
		.optional()
		.describe(
			"Instead of max or min: it acts when the policy is worse than control by more than margin.",
		),
	margin: z
		.number()
		.min(0)
		.max(MOST_VALUE)
		.optional()
		.describe(
			"With versus: how much worse is still taken, in the metric's own unit.",
		),
	within: duration
		.optional()
		.describe(
			"A decision counts once this long has passed since it. Default the metric's own window.",
		),
	firstLook: z
		.strictObject({
			decisions: z.int().min(1).max(1e9).optional(),
			units: z.int().min(2).max(1e9).optional(),
		})
		.optional()
		.describe(
			"It does not act before so many decisions and units. Default 100 and 100.",
		),
});

const instant = z.iso.datetime({
	offset: true,
	error: "Must be an instant such as 2026-12-01T08:00:00Z, with its offset.",
});

export const scheduleSchema = z.strictObject({
	start: instant
		.optional()
		.describe("When it starts by itself, unless a person started it before."),
	stop: instant
		.optional()
		.describe(
			"When it stops by itself; everyone gets the baseline arm from then on.",
		),
});

export const analysisFields = {
	guardrails: z.array(guardrailSchema).max(100).optional(),
	metrics: metricsSchema.optional(),
	segments: z
		.array(featureName)
		.max(MOST_SEGMENTS)
		.optional()
		.describe(
			"Category or boolean features of the context, whose levels the report shows apart. Fixed from the start until the stop.",
		),
	covariate: featureName
		.optional()
		.describe(
			"A number feature of the profile that is known before the experiment, to take noise out of the lift (CUPED). Fixed from the start until the stop.",
		),
	schedule: scheduleSchema
		.optional()
		.describe("When it starts and stops by itself."),
};

export type MetricsDocument = z.infer<typeof metricsSchema>;
export type OwnMetricDocument = z.infer<typeof ownMetricSchema>;
export type GuardrailDocument = z.infer<typeof guardrailSchema>;
export type ScheduleDocument = z.infer<typeof scheduleSchema>;

const UNITS = { once: "share", each: "events", value: "value" } as const;

/** Undefined where it declares nothing. */
export function toMetrics({
	primary,
	secondary = [],
	define = [],
}: MetricsDocument): Metrics | undefined {
	if (primary === undefined && secondary.length + define.length === 0)
		return undefined;
	return {
		...(primary !== undefined && { primary }),
		secondary,
		define: define.map(toOwnMetric),
	};
}

function toOwnMetric({
	within,
	cap,
	per = "impression",
	count = "once",
	unit = UNITS[count],
	better = "higher",
	...named
}: OwnMetricDocument): OwnMetric {
	return {
		...named,
		per,
		count,
		...(within !== undefined && { withinMs: milliseconds(within) }),
		...(cap !== undefined && { cap: quantise(cap) }),
		unit,
		better,
	};
}

export function toGuardrail({
	within,
	firstLook,
	...guardrail
}: GuardrailDocument): Guardrail {
	const looks = firstLook ?? {};
	return {
		...guardrail,
		...(within !== undefined && { withinMs: milliseconds(within) }),
		...(Object.keys(looks).length > 0 && { firstLook: looks }),
	};
}

/** Undefined where it says nothing. */
export function toSchedule({
	start,
	stop,
}: ScheduleDocument): Schedule | undefined {
	if (start === undefined && stop === undefined) return undefined;
	return {
		...(start !== undefined && { startAt: Date.parse(start) }),
		...(stop !== undefined && { stopAt: Date.parse(stop) }),
	};
}

function milliseconds(text: string): number {
	return parseDuration(text) ?? 0;
}
