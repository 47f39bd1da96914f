import { z } from "zod";
import {
	ARM_KEY,
	EXPERIMENT_KEY,
	type JsonObject,
	PRINTABLE,
	type Problem,
	unknownKeyMessage,
} from "#core/experiment";
import { fail } from "#usecases/errors";
import { isDecisionRequest, MOST_TOKEN } from "./plain-request.js";

const printable = (what: string) =>
	z.string().regex(PRINTABLE, `${what} must be 1 to 256 printable characters.`);

const armKey = z
	.string()
	.regex(
		ARM_KEY,
		"An arm key is a letter or digit, then up to 63 letters, digits, '.', '_' or '-'.",
	);

/** The body of `POST /v1/decisions` and of a request on `segue.decide`; unknown keys are refused. */
export const decisionRequestSchema = z.strictObject({
	experiment: z
		.string()
		.regex(
			EXPERIMENT_KEY,
			"An experiment key is up to 64 lower-case letters, digits and '-'.",
		)
		.describe("Key of the experiment."),
	unit: printable("unit").describe(
		"Pseudonymous id of whom is decided for, usually a listener.",
	),
	context: z
		.record(z.string(), z.unknown())
		.optional()
		.describe(
			"Request features by name; names the experiment does not declare are dropped and named in `ignored`.",
		),
	session: printable("session")
		.optional()
		.describe(
			"Listening session; needed where the experiment is sticky for it.",
		),
	eligible: z
		.array(armKey)
		.min(1)
		.max(10_000)
		.optional()
		.describe("Only these arms may be chosen."),
	requestId: printable("requestId")
		.optional()
		.describe(
			"Of a request and its retries, unique in its experiment: they get one decision, word for word, for seven days, whichever decider they reach. Another request under the same id is refused with 422. It costs a round trip to the database; where that is out of reach the decision is made all the same and names `retry` in `degraded`.",
		),
	mode: z
		.enum(["draw", "best"])
		.optional()
		.describe(
			"`best` answers the arm with the highest mean: nothing is drawn, logged or learned.",
		),
	explain: z.boolean().optional(),
	consent: z
		.record(z.string(), z.unknown())
		.optional()
		.describe(
			"What the unit allows, for this decision: purposes, each true or false, with `jurisdiction` and `ageAtLeast` where they are known. A refusal that is stored stands whatever is said here.",
		),
	consentToken: z
		.string()
		.min(1)
		.max(MOST_TOKEN)
		.optional()
		.describe(
			"The same in a token that a key of SEGUE_CONSENT_KEYS signed: a JWT with `sub` (the unit), `exp` and `consent`.",
		),
});

export const MOST_DECISIONS = 500;

/** The body of `POST /v1/decisions/batch`; each decision is judged on its own. */
export const decisionBatchSchema = z.strictObject({
	decisions: z
		.array(z.unknown())
		.min(1)
		.max(MOST_DECISIONS)
		.describe("Bodies of POST /v1/decisions."),
});

export type DecisionRequest = Omit<
	z.infer<typeof decisionRequestSchema>,
	"context"
> & {
	/** Taken over by who decides: what else is known of the unit is added to it. */
	readonly context?: unknown;
};

/** Throws `invalid` with every problem and its path. */
export function parseDecisionRequest(raw: unknown): DecisionRequest {
	if (isDecisionRequest(raw)) return raw;
	const request = parse(decisionRequestSchema, raw, "The decision request");
	// The context as it came: zod drops a `__proto__` key in silence, the experiment's schema names it in `ignored`.
	return request.context === undefined
		? request
		: { ...request, context: (raw as JsonObject).context };
}

/** Throws `invalid` where the envelope is not `{decisions: [1 to 500]}`. */
export function parseDecisionBatch(raw: unknown): readonly unknown[] {
	return parse(decisionBatchSchema, raw, "The batch").decisions;
}

function parse<S extends z.ZodObject>(
	schema: S,
	raw: unknown,
	what: string,
): z.output<S> {
	const parsed = schema.safeParse(raw);
	if (parsed.success) return parsed.data;
	const problems = parsed.error.issues.flatMap((issue) =>
		toProblems(issue, Object.keys(schema.shape)),
	);
	throw fail(
		"invalid",
		`${what} cannot be read: ${problems.map(sentence).join(" ")}`,
		problems,
	);
}

function toProblems(
	issue: z.core.$ZodIssue,
	known: readonly string[],
): Problem[] {
	const path = pathOf(issue.path);
	if (issue.code !== "unrecognized_keys")
		return [{ path, message: issue.message }];
	return issue.keys.map((key) => ({
		path: pathOf([...issue.path, key]),
		message: unknownKeyMessage(key, known),
	}));
}

const sentence = ({ path, message }: Problem): string =>
	path === "" ? message : `${path}: ${message}`;

/** `eligible[2]`, `context.hour`. */
function pathOf(steps: readonly PropertyKey[]): string {
	return steps
		.map((step) =>
			typeof step === "number" ? `[${step}]` : `.${String(step).slice(0, 100)}`,
		)
		.join("")
		.replace(/^\./, "");
}
