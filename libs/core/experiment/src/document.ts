import { z } from "zod";
import { analysisFields } from "./analysis-document.js";
import { featureSchema } from "./feature-document.js";
import { armKey, duration, eventType } from "./field-schemas.js";
import { EXPERIMENT_KEY, MOST_VALUE } from "./patterns.js";

/**
 * The document form of an experiment, as a product manager writes it in YAML or sends it as JSON. Structure only: defaults,
 * rounding and what spans several fields are in parse-experiment.ts. No transforms, so that it renders as JSON Schema.
 */

export const MOST_ARMS = 1000;
export const MOST_FEATURES = 200;
export const MOST_ARM_FEATURES = 64;
const MOST_VARIANTS = 16;

const text = (most: number) => z.string().max(most);
const value = z.number().min(-MOST_VALUE).max(MOST_VALUE);
const share = z.number().min(0).max(1);

const rule = z.string().min(1).max(1000);
const payload = z.record(z.string(), z.unknown());

export const armSchema = z.strictObject({
	key: armKey,
	payload: payload
		.optional()
		.describe("Returned to clients as it is. Default {}."),
	payloads: z
		.array(
			z.strictObject({
				when: rule.describe("CEL over context.NAME."),
				payload,
			}),
		)
		.min(1)
		.max(MOST_VARIANTS)
		.optional()
		.describe(
			"Returned instead of payload: that of the first whose rule holds in the decision's context. What is learned is the arm's, whichever payload it has.",
		),
	tags: z.array(text(64)).max(64).optional(),
	eligible: rule
		.optional()
		.describe(
			"CEL over context.NAME that says whether the arm may be chosen; absent: always.",
		),
	features: z
		.array(z.number().min(-1000).max(1000))
		.min(1)
		.max(MOST_ARM_FEATURES)
		.optional()
		.describe(
			"What the arm has in common with others, for hybrid-linucb; every arm has equally many.",
		),
	state: z
		.enum(["active", "paused", "retired"])
		.optional()
		.describe(
			"A paused or retired arm is not chosen; its outcomes still land. Default active.",
		),
});

const policyBase = {
	ridge: z
		.number()
		.min(2 ** -12)
		.max(1e6)
		.optional()
		.describe("λ of A = λI + Σxxᵀ. Default 1."),
	explore: share
		.optional()
		.describe(
			"ε, the share of decisions spread evenly over eligible arms. Default 0.05.",
		),
	halfLife: duration.optional().describe("At least 16m."),
	slidingWindow: duration.optional().describe("At least 16m."),
};

const alpha = z.number().min(0).max(1000).optional();
const upperBound = alpha.describe(
	"Weight of the uncertainty in score = mean + α·width. Default 0.5.",
);

export const policySchema = z.discriminatedUnion("kind", [
	z.strictObject({
		kind: z.literal("linucb"),
		alpha: upperBound,
		...policyBase,
	}),
	z.strictObject({
		kind: z.literal("hybrid-linucb"),
		alpha: upperBound,
		...policyBase,
	}),
	z.strictObject({
		kind: z.literal("thompson"),
		alpha: alpha.describe(
			"Sampled scores have the standard deviation α·width. Default 0.5.",
		),
		...policyBase,
	}),
	z.strictObject({ kind: z.literal("uniform"), ...policyBase }),
	z.strictObject({ kind: z.literal("fixed"), arm: armKey, ...policyBase }),
]);

export const outcomeSchema = z.strictObject({
	type: eventType,
	value: value
		.optional()
		.describe("What one such event earns; absent: the event's own value."),
	within: duration
		.optional()
		.describe("Later than this after the decision, the event earns nothing."),
});

export const rewardSchema = z.strictObject({
	learn: z
		.enum(["impression", "decision", "windowClose"])
		.optional()
		.describe(
			"When a decision teaches: impression, once shown (the default); decision, always; windowClose, once shown and its window is over.",
		),
	window: duration.describe("How long after the decision outcomes count."),
	default: z
		.number()
		.min(-8)
		.max(8)
		.optional()
		.describe("Reward where nothing listed came. Default 0."),
	combine: z
		.enum(["sum", "max", "first", "last"])
		.optional()
		.describe("Default sum."),
	range: z
		.tuple([z.number().min(-8).max(8), z.number().min(-8).max(8)])
		.optional()
		.describe("The reward is clipped to it. Default [-8, 8]."),
	outcomes: z.array(outcomeSchema).min(1).max(100),
});

export const trafficSchema = z.strictObject({
	share: share
		.optional()
		.describe("Share of units inside the experiment. Default 1."),
	control: share
		.optional()
		.describe("Share of the inside units that are control. Default 0."),
	baseline: armKey
		.optional()
		.describe("What control gets: uniform, or an arm's key. Default uniform."),
});

export const contextSchema = z.strictObject({
	intercept: z
		.boolean()
		.optional()
		.describe("Whether the first coordinate is 1. Default true."),
	features: z.array(featureSchema).max(MOST_FEATURES).optional(),
	enrichBudgetMs: z
		.int()
		.min(1)
		.max(1000)
		.optional()
		.describe(
			"How long a decision may wait for profile features that are not in memory, in milliseconds. Default 20; never more than three tenths of the decision's deadline.",
		),
});

export const experimentSchema = z
	.strictObject({
		key: z
			.string()
			.regex(
				EXPERIMENT_KEY,
				"Must be 1 to 64 lower-case letters, digits or hyphens, starting with a letter or digit.",
			),
		name: text(200).optional().describe("Default: the key."),
		hypothesis: text(2000).optional(),
		owner: text(200).optional(),
		arms: z.array(armSchema).min(1).max(MOST_ARMS),
		context: contextSchema.optional(),
		policy: policySchema,
		reward: rewardSchema,
		traffic: trafficSchema.optional(),
		...analysisFields,
		sticky: z
			.enum(["session", "unit", "none"])
			.optional()
			.describe(
				"Whether a session or a unit that asks again gets the same decision. Default none.",
			),
	})
	.meta({ title: "Experiment" });

export type ExperimentDocument = z.infer<typeof experimentSchema>;
export type ArmDocument = z.infer<typeof armSchema>;
export type PolicyDocument = z.infer<typeof policySchema>;
export type RewardDocument = z.infer<typeof rewardSchema>;
export type TrafficDocument = z.infer<typeof trafficSchema>;
