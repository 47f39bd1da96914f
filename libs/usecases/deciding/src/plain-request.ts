import { ARM_KEY, EXPERIMENT_KEY, PRINTABLE } from "#core/experiment";
import type { DecisionRequest } from "./request.js";

/** Most unit and session ids: a quicker test than PRINTABLE's, which allows every script. */
const PLAIN = /^[ -~]{1,256}$/;
const MOST_ELIGIBLE = 10_000;
/** Characters. */
export const MOST_TOKEN = 8_192;

/**
 * Whether a parsed body is a decision request, as `decisionRequestSchema` says too, in a tenth of the schema's time. It only says no
 * where the schema must find the words. A test holds the two together.
 */
export function isDecisionRequest(raw: unknown): raw is DecisionRequest {
	if (!isRecord(raw)) return false;
	for (const key in raw) if (!holds(key, raw[key])) return false;
	return raw.experiment !== undefined && raw.unit !== undefined;
}

function holds(key: string, value: unknown): boolean {
	switch (key) {
		case "experiment":
			return typeof value === "string" && EXPERIMENT_KEY.test(value);
		case "unit":
		case "session":
		case "requestId":
			return (
				typeof value === "string" &&
				(PLAIN.test(value) || PRINTABLE.test(value))
			);
		case "context":
		case "consent":
			return isRecord(value);
		case "eligible":
			return isArmList(value);
		case "mode":
			return value === "draw" || value === "best";
		case "explain":
			return typeof value === "boolean";
		case "consentToken":
			return (
				typeof value === "string" &&
				value.length >= 1 &&
				value.length <= MOST_TOKEN
			);
		default:
			return false;
	}
}

/** An object as JSON.parse makes it; what else there is is left to the schema. */
function isRecord(value: unknown): value is Record<string, unknown> {
	return (
		typeof value === "object" &&
		value !== null &&
		Object.getPrototypeOf(value) === Object.prototype
	);
}

function isArmList(value: unknown): boolean {
	return (
		Array.isArray(value) &&
		value.length >= 1 &&
		value.length <= MOST_ELIGIBLE &&
		value.every((arm) => typeof arm === "string" && ARM_KEY.test(arm))
	);
}
