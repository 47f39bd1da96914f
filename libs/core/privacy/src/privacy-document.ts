import { z } from "zod";
import { DURATION, FEATURE_NAME, PURPOSE } from "#core/experiment";

/** Lower-case letters, digits and hyphens: `eu`, `us-ca`. */
export const JURISDICTION = /^[a-z0-9][a-z0-9-]{0,31}$/;

const jurisdictionName = z
	.string()
	.regex(
		JURISDICTION,
		"Must be 1 to 32 lower-case letters, digits or hyphens, such as eu or us-ca.",
	);
const purpose = z
	.string()
	.regex(PURPOSE, "Must be a purpose such as personalization.");
const feature = z
	.string()
	.regex(FEATURE_NAME, "Must be the name of a feature.");
const span = z
	.string()
	.regex(DURATION, "Must be a duration such as 30s, 12h or 400d.")
	.optional();

const jurisdictionSchema = z.strictObject({
	name: z.string().min(1).max(200).optional(),
	/** Required, so that it is never forgotten; [all] stands for every purpose. */
	optIn: z.array(purpose).max(100),
	forbidden: z
		.strictObject({
			purposes: z.array(purpose).max(100).optional(),
			features: z.array(feature).max(1_000).optional(),
		})
		.optional(),
	age: z
		.strictObject({
			minimum: z.int().min(1).max(25),
			purposes: z.array(purpose).max(100).optional(),
			unknown: z.enum(["refused", "allowed"]).optional(),
		})
		.optional(),
	retention: z
		.strictObject({
			log: span,
			profile: span,
			consent: span,
			windows: span,
			ids: span,
		})
		.optional(),
});

/** One privacy file; several together make a policy. */
export const privacyFileSchema = z.strictObject({
	purposes: z.record(purpose, z.string().min(1).max(500)).optional(),
	default: jurisdictionName.optional(),
	jurisdictions: z.record(jurisdictionName, jurisdictionSchema).optional(),
});

export type PrivacyFile = z.infer<typeof privacyFileSchema>;
export type JurisdictionDocument = z.infer<typeof jurisdictionSchema>;
