import { quantise } from "#core/linalg";
import { renderDuration } from "./duration.js";
import type {
	Experiment,
	Feature,
	JsonObject,
	Policy,
	Reward,
} from "./experiment.js";
import { isLive } from "./live-feature.js";

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
		guardrails: guardrails.map((guardrail) => ({ ...guardrail })),
		sticky: sticky ?? "none",
	};
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
		ridge: shortest(policy.ridge),
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

/** The shortest decimal that rounds to the same grid point: 0.300048828125 was written 0.3. */
function shortest(value: number): number {
	for (let digits = 0; digits < 4; digits++) {
		const short = Number(value.toFixed(digits));
		if (quantise(short) === value) return short;
	}
	// Four digits always do: they are off by less than half a grid step.
	return Number(value.toFixed(4));
}
