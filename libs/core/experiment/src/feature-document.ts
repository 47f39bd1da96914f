import { z } from "zod";
import { CLIENT_HINTS } from "./client-hint.js";
import { armKey, duration, eventType, featureName } from "./field-schemas.js";
import { LIVE_AGGREGATES, LIVE_FIELD, LIVE_KEYS } from "./live-feature.js";
import { FEATURE_NAME, PURPOSE } from "./patterns.js";

const MOST_LEVELS = 255;
const level = z.string().min(1).max(256);
const from = z.enum(["request", "live", "profile"]);
const share = z.number().min(0).max(1);
const alarmSchema = z.strictObject({
	psi: z
		.number()
		.positive("Must be above 0.")
		.optional()
		.describe(
			"Population stability index against launch above which it alarms. Default 0.25.",
		),
	missing: share
		.optional()
		.describe(
			"Share of decisions without a value above which it alarms. Default 0.2.",
		),
	unseen: share
		.optional()
		.describe(
			"Of a category, the share of levels that are not declared above which it alarms. Default 0.05.",
		),
});
const base = {
	name: featureName,
	from,
	consent: z
		.string()
		.regex(PURPOSE, "Must be a purpose such as personalization.")
		.optional()
		.describe(
			"The purpose without whose consent the value is absent everywhere.",
		),
	hint: z
		.enum(CLIENT_HINTS)
		.optional()
		.describe(
			"With from: request over REST, the HTTP client hint that gives the value where the context does not: mobile, platform (text), downlink (Mbit/s), bitrate (the downlink in kbit/s), rtt (ms), ect (slow-2g, 2g, 3g, 4g), saveData, deviceMemory (GiB).",
		),
	missing: z
		.enum(["zero", "mean", "indicator"])
		.optional()
		.describe(
			"How the feature is encoded where it has no value: zero (the default), all its coordinates are 0; mean, as the declared mean; indicator, 0 and one more coordinate, NAME?, that is 1 then.",
		),
	alarm: alarmSchema
		.optional()
		.describe(
			"From when on the health of the feature alarms (GET /v1/experiments/:key/context).",
		),
};

export const numberFeatureSchema = z.strictObject({
	...base,
	kind: z.literal("number"),
	mean: z
		.number()
		.optional()
		.describe("Encoded as (value - mean) / scale. Default 0."),
	scale: z
		.number()
		.positive("Must be above 0.")
		.optional()
		.describe("Default 1."),
	event: eventType
		.optional()
		.describe("With from: live, the type of the events it is made of."),
	window: duration
		.optional()
		.describe("With from: live, how far back events count, from 1s to 1h."),
	aggregate: z
		.enum(LIVE_AGGREGATES)
		.optional()
		.describe(
			"With from: live, what is made of the events of the window. count (the default); rate, events a minute; sum, mean and last of a number they hold; timeSince, seconds since the last one, at most the window; distinct, how many names they hold, up to 64.",
		),
	of: z
		.string()
		.regex(
			LIVE_FIELD,
			"Must be value, slot, item, session, unit, or a property such as properties.depth.",
		)
		.optional()
		.describe(
			"The events' field that sum, mean and last (value, slot or a property such as properties.depth, default value) or distinct (item, session or unit, default item) reads.",
		),
	by: z
		.enum(LIVE_KEYS)
		.optional()
		.describe(
			"With from: live, whose events: the unit's (the default) or the session's that asks, an item's, or those of decisions for an arm or for the whole experiment.",
		),
	item: featureName
		.optional()
		.describe("With by: item, the request feature whose value is the item."),
	arm: armKey.optional().describe("With by: arm, the arm's key."),
});

const ofFactors = (word: string) =>
	z
		.never(
			`A product is made of two features, and what is said of them holds for it: leave ${word} out.`,
		)
		.optional();

export const productFeatureSchema = z.strictObject({
	kind: z.literal("product"),
	name: z
		.string()
		.max(129)
		.optional()
		.describe("Default: both names, such as hour×device."),
	from: from.optional().describe("Where one of the two is from; not needed."),
	of: z
		.tuple([featureName, featureName])
		.describe(
			"Names of two features: each coordinate of the one is multiplied with each of the other, which a linear policy needs to learn how they act together.",
		),
	consent: ofFactors("consent"),
	missing: ofFactors("missing"),
	hint: ofFactors("hint"),
	alarm: ofFactors("alarm"),
});

/** Between the names of two features. */
export const TIMES = "×";

/** What a product is called, which is both names where it was given none; not judged. */
export function productName({ name, of }: ProductDocument): string {
	return name ?? of.join(TIMES);
}

/** Whether a product may be called so. */
export function isProductName(name: string, of: readonly string[]): boolean {
	return FEATURE_NAME.test(name) || name === of.join(TIMES);
}

export const vectorFeatureSchema = z.strictObject({
	...base,
	kind: z.literal("vector"),
	length: z.int().min(1).max(256),
	mean: z
		.array(z.number())
		.max(256)
		.optional()
		.describe("With missing: mean, the vector that stands in."),
	event: eventType
		.optional()
		.describe(
			"With from: live, the type of the events whose items' vectors are averaged, such as play.",
		),
	window: duration
		.optional()
		.describe("With from: live, how far back events count, from 1s to 1h."),
	by: z
		.enum(["session", "unit"])
		.optional()
		.describe(
			"With from: live, whose events: the session's that asks (the default) or the unit's.",
		),
});

export const featureSchema = z.discriminatedUnion("kind", [
	numberFeatureSchema,
	z.strictObject({
		...base,
		kind: z.literal("boolean"),
		mean: share
			.optional()
			.describe("With missing: mean, the share that is true."),
	}),
	z.strictObject({
		...base,
		kind: z.literal("cyclic"),
		period: z.number().positive("Must be above 0."),
		mean: z
			.number()
			.optional()
			.describe("With missing: mean, the value that stands in."),
	}),
	z.strictObject({
		...base,
		kind: z.literal("timeOfDay"),
		mean: z
			.number()
			.min(0)
			.lt(24)
			.optional()
			.describe("With missing: mean, the hour that stands in."),
	}),
	z.strictObject({
		...base,
		kind: z.literal("category"),
		levels: z.array(level).min(1).max(MOST_LEVELS),
		mean: z
			.record(z.string(), share)
			.optional()
			.describe(
				"With missing: mean, the share of each level, such as { phone: 0.6, desktop: 0.3 }; those left out have none.",
			),
	}),
	z.strictObject({
		...base,
		kind: z.literal("attribute"),
		missing: z
			.never(
				"An attribute is not encoded, so there is nothing to say of how: leave missing out.",
			)
			.optional(),
		type: z.enum(["text", "number"]).optional().describe("Default text."),
		values: z
			.array(level)
			.max(1000)
			.optional()
			.describe("Allowed texts; absent or empty: any."),
	}),
	vectorFeatureSchema,
	productFeatureSchema,
]);

export type FeatureDocument = z.infer<typeof featureSchema>;
export type ValueDocument = Exclude<FeatureDocument, ProductDocument>;
export type ProductDocument = z.infer<typeof productFeatureSchema>;
export type VectorDocument = z.infer<typeof vectorFeatureSchema>;
export type NumberDocument = z.infer<typeof numberFeatureSchema>;
