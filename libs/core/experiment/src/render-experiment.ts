import { quantise } from "#core/linalg";
import { renderDuration } from "./duration.js";
import type {
	Experiment,
	Feature,
	Guardrail,
	JsonObject,
	Policy,
	Reward,
	Schedule,
} from "./experiment.js";
import { isLive } from "./live-feature.js";
import type { Metrics } from "./metric-names.js";

/** Back to the document form, every default spelled out: `parseExperiment(renderExperiment(e))` equals e. */
export function renderExperiment(experiment: Experiment): JsonObject {
	const {
		key,
		name,
		hypothesis,
		owner,
		arms,
		context,
		policy,
		reward,
		traffic,
		guardrails,
		sticky,
		metrics,
		segments,
		covariate,
		schedule,
	} = experiment;
	return {
		key,
		name,
		hypothesis,
		owner,
		arms: arms.map((arm) => ({ ...arm })),
		context: {
			intercept: context.intercept,
			features: context.features.map(renderFeature),
			...(context.enrichBudgetMs !== undefined && {
				enrichBudgetMs: context.enrichBudgetMs,
			}),
		},
		policy: renderPolicy(policy),
		reward: renderReward(reward),
		traffic: { ...traffic },
		guardrails: guardrails.map(renderGuardrail),
		sticky: sticky ?? "none",
		...(metrics !== undefined && { metrics: renderMetrics(metrics) }),
		...(segments !== undefined && { segments }),
		...(covariate !== undefined && { covariate }),
		...(schedule !== undefined && { schedule: renderSchedule(schedule) }),
	};
}

function renderGuardrail({
	withinMs,
	firstLook,
	...guardrail
}: Guardrail): JsonObject {
	return {
		...guardrail,
		...(withinMs !== undefined && { within: renderDuration(withinMs) }),
		...(firstLook !== undefined && { firstLook: { ...firstLook } }),
	};
}

function renderMetrics({ primary, secondary, define }: Metrics): JsonObject {
	return {
		...(primary !== undefined && { primary: { ...primary } }),
		secondary,
		define: define.map(({ withinMs, cap, ...metric }) => ({
			...metric,
			...(withinMs !== undefined && { within: renderDuration(withinMs) }),
			...(cap !== undefined && { cap: aboveZero(cap) }),
		})),
	};
}

function renderSchedule({ startAt, stopAt }: Schedule): JsonObject {
	return {
		...(startAt !== undefined && { start: renderInstant(startAt) }),
		...(stopAt !== undefined && { stop: renderInstant(stopAt) }),
	};
}

/** `2026-12-01T08:00:00Z`: in UTC, without the milliseconds where there are none. */
export function renderInstant(milliseconds: number): string {
	return new Date(milliseconds).toISOString().replace(".000Z", "Z");
}

function renderFeature(feature: Feature): JsonObject {
	if (feature.kind === "product") {
		const { name, kind, of } = feature;
		return { name, kind, of };
	}
	if (!isLive(feature)) return { ...feature } as JsonObject;
	const { live, ...rest } = feature;
	const { windowMs, ...others } = live;
	if (live.aggregate === "meanVector") {
		const { event, by } = live;
		return { ...rest, event, by, window: renderDuration(windowMs) };
	}
	return { ...rest, ...others, window: renderDuration(windowMs) };
}

function renderPolicy({
	halfLifeMs,
	slidingWindowMs,
	...policy
}: Policy): JsonObject {
	return {
		...policy,
		ridge: aboveZero(policy.ridge),
		...(halfLifeMs === undefined
			? {}
			: { halfLife: renderDuration(halfLifeMs) }),
		...(slidingWindowMs === undefined
			? {}
			: { slidingWindow: renderDuration(slidingWindowMs) }),
	};
}

function renderReward(reward: Reward): JsonObject {
	return {
		learn: reward.learn,
		window: renderDuration(reward.windowMs),
		default: shortest(reward.default),
		combine: reward.combine,
		range: reward.range.map(shortest),
		outcomes: reward.outcomes.map(({ type, value, withinMs }) => ({
			type,
			...(value === undefined ? {} : { value: shortest(value) }),
			...(withinMs === undefined ? {} : { within: renderDuration(withinMs) }),
		})),
	};
}

/** Of what must be one grid step at least: 0.0002 rounds to that, but is refused as smaller. */
function aboveZero(value: number): number {
	return Math.max(shortest(value), 2 ** -12);
}

/** The shortest decimal that rounds to the same grid point: 0.300048828125 was written 0.3. */
function shortest(value: number): number {
	for (let digits = 0; digits < 4; digits++) {
		const short = Number(value.toFixed(digits));
		if (quantise(short) === value) return short;
	}
	// Four digits always do: they are off by less than half a grid step.
	return Number(value.toFixed(4));
}
