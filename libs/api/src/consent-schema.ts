import { z } from "zod";

/** Consent as it is put and answered; which purposes there are, the privacy files say. */
export const consentSchema = z
	.record(z.string(), z.union([z.boolean(), z.string(), z.number()]))
	.describe(
		"Purposes that a privacy file declares, each true (given) or false (refused); `jurisdiction`, where the unit is; `ageAtLeast`, the highest of the ages that rules ask for that it has reached.",
	);
