import { z } from "zod";
import {
	ARM_KEY,
	DECISION_ID,
	EVENT_TYPE,
	EXPERIMENT_KEY,
	experimentSchema,
	PRINTABLE,
	VERDICTS,
} from "#core/experiment";
import { decisionBatchSchema, decisionRequestSchema } from "#usecases/deciding";
import { explanationSchema } from "./explanation-schema.js";
import { stopSchema, transitionSchema } from "./request-values.js";

/** Schemas of what the API takes and answers: the OpenAPI document is made of them, and tests hold the answers against them. */

const names = z.array(z.string());
const open = z.record(z.string(), z.unknown());
const printable = z.string().regex(PRINTABLE);

export const problemSchema = z
	.strictObject({
		type: z.string().describe("Stays the same for a code: /docs/errors#CODE."),
		title: z.string(),
		status: z.number().int(),
		detail: z.string().describe("What is wrong here, and how to mend it."),
		errors: z.array(
			z.strictObject({
				path: z.string().describe("Where, such as `context.hour`."),
				message: z.string(),
			}),
		),
		retryAfterSeconds: z.number().optional(),
	})
	.describe("RFC 9457 problem details.");

export const decisionSchema = z.strictObject({
	decisionId: z
		.string()
		.regex(DECISION_ID)
		.optional()
		.describe("UUIDv7; absent in mode `best`."),
	experiment: z.string().regex(EXPERIMENT_KEY),
	version: z.number().int(),
	arm: z.string().regex(ARM_KEY),
	payload: open.describe(
		"Of the arm, as the definition has it; where it has several, the first whose rule holds.",
	),
	propensity: z
		.number()
		.gt(0)
		.max(1)
		.optional()
		.describe(
			"Exact probability of the arm, given the group; absent in mode `best`.",
		),
	group: z.enum(["policy", "control", "outside"]).optional(),
	repeated: z
		.literal(true)
		.optional()
		.describe(
			"The experiment is sticky and the session or unit had this decision already: nothing was drawn or logged. Its payload is the arm's present one; it is not explained here.",
		),
	mode: z.literal("best").optional(),
	revision: z.number().int().describe("Posterior revision decided with."),
	missing: names.describe(
		"Declared features without a value: encoded as 0, or as their `missing` says. Explanations say why.",
	),
	ignored: names.describe(
		"Context names that the experiment does not declare: dropped.",
	),
	degraded: names.describe(
		"What the answer had to do without: stream, posterior, live, profile, consent, baseline, paused, stopped; guardrail: one holds the policy at control's distribution; retry: whether the requestId had a decision already could not be told, so this may be a second one; sticky: likewise for the session or unit of a sticky experiment, or the request named no session.",
	),
	explanation: explanationSchema.optional(),
});

export const batchAnswerSchema = z.strictObject({
	decisions: z
		.array(
			z.union([decisionSchema, z.strictObject({ problem: problemSchema })]),
		)
		.describe("In the order of the request."),
});

export const eventSchema = z.strictObject({
	id: printable.describe("Chosen by the client; sending it again is harmless."),
	type: z.string().regex(EVENT_TYPE),
	at: z
		.union([z.iso.datetime({ offset: true }), z.number().int()])
		.describe("ISO 8601 with offset, or milliseconds since the epoch."),
	unit: printable,
	decisionId: z.string().regex(DECISION_ID).optional(),
	value: z.number().optional(),
	session: printable.optional(),
	item: printable.optional().describe("A track."),
	slot: z.number().int().optional(),
	properties: open
		.optional()
		.describe(
			"Flat, at most 2 KB. Names and texts are labels: at most 64 characters without spaces or @, nothing that says a precise location.",
		),
	retracts: printable
		.optional()
		.describe("With type `retract`: the id of the event taken back."),
});

export const storedEventSchema = eventSchema.extend({
	at: z.iso.datetime(),
	verdict: z.enum(VERDICTS),
	detail: z.string().optional().describe("Why it earns nothing."),
	moved: z
		.strictObject({
			exposed: z.number(),
			reward: z.number(),
			revision: z.number().int(),
		})
		.nullish()
		.describe("What it moved of its decision, in which revision; or nothing."),
	storedAt: z.iso.datetime(),
});

export const malformedEventSchema = z.strictObject({
	verdict: z.literal("malformed"),
	id: printable.optional().describe("Where that much could be read."),
	detail: z.string().describe("What is wrong with it."),
	storedAt: z.iso.datetime(),
});

export const unknownDecisionSchema = problemSchema.extend({
	events: z
		.array(z.union([storedEventSchema, malformedEventSchema]))
		.optional()
		.describe(
			"What came for a decision that has not come: events that wait for it, and at most 100 that were refused. Absent where nothing did, or where all of it has expired or was erased: the ledger counts that.",
		),
});

export const eventsSchema = z.strictObject({
	events: z
		.array(eventSchema)
		.max(1_000)
		.describe("Each is judged on its own."),
});

export const eventsAnswerSchema = z.strictObject({
	accepted: z.number().int(),
	rejected: z.array(
		z.strictObject({ index: z.number().int(), problem: z.unknown() }),
	),
});

export const experimentViewSchema = z.strictObject({
	key: z.string(),
	name: z.string(),
	state: z.enum(["draft", "running", "paused", "stopped"]),
	version: z.number().int(),
	run: z.number().int().describe("Grows with every start and resume."),
	analysis: z
		.number()
		.int()
		.describe(
			"Grows with every start of a draft or of what was stopped: what it is judged by is fixed for so long.",
		),
	epoch: z.number().int(),
	winner: z.string().nullable(),
	held: z
		.boolean()
		.describe(
			"A guardrail holds policy units at control's distribution until a person resumes.",
		),
	bucketMs: z.number().int(),
	etag: z.string().describe("To be sent as If-Match."),
	changed: z.strictObject({
		at: z.iso.datetime(),
		action: z.string(),
		actor: z.string(),
		why: z.string(),
	}),
	definition: open.describe("The document that PUT takes."),
});

export const putAnswerSchema = experimentViewSchema.extend({
	changes: names.describe("A sentence per field that changed."),
	newVersion: z.boolean(),
	newEpoch: z.boolean(),
	reasons: names.describe(
		"Why there is a new version or epoch, and what it means where arms come, go, pause or retire.",
	),
	warnings: z.array(z.strictObject({ path: z.string(), message: z.string() })),
});

export const posteriorSchema = z.strictObject({
	experiment: z.string(),
	version: z.number().int(),
	revision: z.number().int(),
	arms: z.array(
		z.strictObject({
			arm: z.string(),
			n: z.number().describe("Decisions learned."),
			A: z.array(z.array(z.number())).describe("λI + Σ x xᵀ."),
			b: z.array(z.number()).describe("Σ R x."),
			theta: z.array(z.number()).describe("A⁻¹b."),
		}),
	),
});

export const healthSchema = z.strictObject({
	ready: z.boolean(),
	parts: z.record(
		z.string(),
		z.strictObject({ ok: z.boolean(), detail: z.string().optional() }),
	),
});

export const openObject = open;

export {
	decisionBatchSchema,
	decisionRequestSchema,
	experimentSchema,
	stopSchema,
	transitionSchema,
};
