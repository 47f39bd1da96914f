import { z } from "zod";

/** A profile as it is put and answered; which names and values there may be, the definitions say. */
export const profileSchema = z
	.record(
		z.string(),
		z.union([
			z.number(),
			z.boolean(),
			z.string().max(256),
			z.array(z.number()).min(1).max(256),
		]),
	)
	.describe(
		"Values by the name of a feature that some experiment declares with from: profile, each of that feature's type. Text only where the definition lists it.",
	);
