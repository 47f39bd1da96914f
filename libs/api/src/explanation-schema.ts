import { z } from "zod";

const numbers = {
	arm: z.string(),
	mean: z.number().describe("Expected reward in this context."),
	width: z.number().describe("How uncertain that is."),
	score: z
		.number()
		.describe("mean + alpha · width where the policy uses it, else the mean."),
	propensity: z
		.number()
		.nullable()
		.describe("Chance in what was drawn from; null in mode `best`."),
};

const factors = z
	.array(z.string())
	.length(2)
	.optional()
	.describe("Of a product: the two features it is made of.");

const eligibleArm = z.strictObject({
	...numbers,
	eligible: z.literal(true),
	contributions: z
		.array(z.strictObject({ name: z.string(), of: factors, value: z.number() }))
		.describe("What `intercept` and each feature add to the mean."),
});

const nothing = z.null();
const excludedArm = z.strictObject({
	arm: z.string(),
	eligible: z.literal(false),
	reason: z
		.string()
		.describe("`rule: TEXT`, `missing: NAME`, `not requested`, `paused`, …"),
	rule: z
		.string()
		.optional()
		.describe("The arm's whole rule, where it was that."),
	mean: nothing,
	width: nothing,
	score: nothing,
	propensity: nothing,
	contributions: z.array(z.never()),
});

/** What `explain: true` adds to a decision, and `?explain=true` to a logged one. */
export const explanationSchema = z.strictObject({
	x: z.array(z.number()).describe("The encoded context."),
	features: z.array(
		z.strictObject({
			name: z.string(),
			of: factors,
			value: z
				.unknown()
				.describe(
					"After consent; of a product, its coordinates that are not 0, by their names. Null where it is missing.",
				),
			source: z.enum(["request", "live", "profile", "product"]),
			reason: z
				.enum(["absent", "no consent", "over budget", "out of date"])
				.optional()
				.describe(
					"Why it is missing, where it is. `over budget`: the profile, or the consent, was not had in time; `out of date`: the live windows do not follow the stream.",
				),
			withheld: z
				.enum(["refused", "not given", "under age", "forbidden", "unknown"])
				.optional()
				.describe(
					"Why privacy rules withheld it, where they did. `unknown`: what the unit allows could not be told in time.",
				),
		}),
	),
	arms: z
		.array(z.union([eligibleArm, excludedArm]))
		.describe("All, in the definition's order."),
	kind: z.enum([
		"exploitation",
		"exploration",
		"control",
		"outside",
		"guardrail",
		"best",
	]),
	runnerUp: z
		.strictObject(numbers)
		.nullable()
		.describe("The other eligible arm with the highest score."),
	payload: z
		.strictObject({
			when: z
				.string()
				.nullable()
				.describe("The rule that held; null: the arm's own went out."),
			value: z.record(z.string(), z.unknown()),
		})
		.optional()
		.describe("What went out, where the arm has several payloads."),
	sentence: z.string().describe("Why the arm was chosen, in plain words."),
});
