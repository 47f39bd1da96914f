import { z } from "zod";

const share = z.number().min(0).max(1);
const time = z.string().describe("ISO 8601.");
const count = z.number().int();

/** Answer of `GET /v1/experiments/:key/context`. */
export const contextHealthSchema = z.strictObject({
	experiment: z.string(),
	version: count,
	run: count.describe("Of which start: each has a launch of its own."),
	state: z.enum(["draft", "running", "paused", "stopped"]),
	revisionsBehind: count.describe(
		"Revisions of the log that learners have not counted yet: a few at most, unless they are away or catching up.",
	),
	window: z
		.strictObject({
			hours: count,
			from: time,
			to: time,
			decisions: count.describe("Without those of the launch."),
		})
		.describe(
			"What the numbers speak of: whole hours of decision time, and the one under way.",
		),
	launch: z
		.strictObject({
			complete: z.boolean(),
			decisions: count.describe("So far."),
			needed: count,
			from: time.nullable(),
			to: time.nullable(),
		})
		.describe("The run's first decisions, against which drift is measured."),
	alarm: z.boolean().describe("Whether any feature alarms."),
	features: z.array(
		z.strictObject({
			feature: z.string(),
			kind: z.string(),
			from: z.enum(["request", "live", "profile", "product"]),
			psi: z
				.number()
				.nullable()
				.describe(
					"Population stability index against launch: below 0.1 as it was, from 0.25 on another population. Null where there are too few values.",
				),
			coordinate: count
				.nullable()
				.describe("Of a vector: which number moved most, from 0."),
			missing: z.strictObject({
				share: share
					.nullable()
					.describe("Of the window's decisions. Null where there are none."),
				launchShare: share.nullable(),
				reasons: z
					.record(z.string(), count)
					.describe(
						"Decisions by reason: absent, no consent, over budget, out of date.",
					),
			}),
			unseen: z
				.strictObject({
					share: share.describe(
						"Of the window's values, those that are no declared level.",
					),
					values: count,
					levels: z
						.array(z.strictObject({ level: z.string(), decisions: count }))
						.describe(
							"The most frequent ones among the newest 1,000 decisions.",
						),
				})
				.nullable(),
			skew: z
				.strictObject({
					checked: count.describe("One decision of four."),
					share: share.nullable(),
					largest: z.number().describe("Largest difference of a coordinate."),
				})
				.describe(
					"x made again from the logged context against the logged x. Should differ in none.",
				),
			thresholds: z
				.strictObject({ psi: z.number(), missing: share, unseen: share })
				.describe("Beyond which each alarms."),
			alarms: z.array(z.enum(["psi", "missing", "unseen", "skew"])),
			verdict: z.string().describe("In words."),
		}),
	),
});
