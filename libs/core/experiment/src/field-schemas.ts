import { z } from "zod";
import { DURATION } from "./duration.js";
import { ARM_KEY, EVENT_TYPE, FEATURE_NAME } from "./patterns.js";

export const armKey = z
	.string()
	.regex(
		ARM_KEY,
		"Must be 1 to 64 letters, digits, dots, underscores or hyphens, starting with a letter or digit.",
	);
export const eventType = z
	.string()
	.regex(
		EVENT_TYPE,
		"Must be 1 to 64 letters, digits, underscores or hyphens, starting with a letter or digit.",
	);
export const duration = z
	.string()
	.regex(DURATION, "Must be a duration such as 30s, 5m, 12h or 14d.");
export const featureName = z
	.string()
	.regex(
		FEATURE_NAME,
		"Must be 1 to 64 letters, digits or underscores, starting with a letter, so that rules can name it.",
	);
