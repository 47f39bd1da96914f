import { Controller, Get, Inject, Param, Query } from "@nestjs/common";
import { ApiQuery, ApiTags } from "@nestjs/swagger";
import { z } from "zod";
import type { AuditPage, RollbackTo } from "#usecases/defining";
import {
	Action,
	actionOf,
	current,
	Sent,
	type SentChange,
} from "./change-route.js";
import { Documented } from "./openapi.js";
import type { ApiParts } from "./parts.js";
import {
	experimentKey,
	once,
	transitionSchema,
	wholeNumber,
} from "./request-values.js";
import { openObject, putAnswerSchema } from "./schemas.js";
import { tokens } from "./tokens.js";

const MOST_ENTRIES = 100;
const MOST_ID = 999_999_999;

const id = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
const rollbackSchema = transitionSchema.extend({
	to: z
		.strictObject({
			version: id
				.optional()
				.describe("A version, as it was when the next one began."),
			definition: id
				.optional()
				.describe("The id of one entry of the audit, as it was then."),
		})
		.refine(
			({ version, definition }) =>
				(version === undefined) !== (definition === undefined),
			"Name either a version or a definition, such as { version: 1 }.",
		),
});

const auditedState = z
	.strictObject({
		version: z.number().int(),
		state: z.string(),
		run: z.number().int(),
		analysis: z.number().int(),
		epoch: z.number().int(),
		winner: z.string().nullable(),
		held: z.boolean(),
		definition: openObject,
	})
	.nullable();
const auditSchema = z.strictObject({
	experiment: z.string(),
	entries: z
		.array(
			z.strictObject({
				id: z
					.number()
					.int()
					.describe("Named by decisions, and by a rollback to it."),
				etag: z.string(),
				at: z.iso.datetime(),
				actor: z
					.string()
					.describe("schedule and guardrail are Segue's own acts."),
				action: z.string(),
				why: z.string(),
				changes: z.array(z.string()).describe("What changed, in words."),
				before: auditedState.describe("Null at the creation."),
				after: auditedState,
			}),
		)
		.describe("Newest first."),
	before: z
		.number()
		.int()
		.nullable()
		.describe("To be asked for next, for what is older; null at the end."),
});
const rollbackAnswerSchema = putAnswerSchema.omit({ warnings: true });

/** What an experiment was, and the way back there. */
@ApiTags("experiments")
@Controller("v1/experiments/:key")
export class ExperimentHistoryController {
	constructor(
		@Inject(tokens.readAudit) private readonly reading: ApiParts["readAudit"],
		@Inject(tokens.rollBackExperiment)
		private readonly rollingBack: ApiParts["rollBackExperiment"],
	) {}

	@Get("audit")
	@ApiQuery({
		name: "limit",
		required: false,
		description: `At most so many entries, 1 to ${MOST_ENTRIES}; default 20. Fewer come where documents are large.`,
	})
	@ApiQuery({
		name: "before",
		required: false,
		description: "Only entries older than the one of this id.",
	})
	@Documented({
		summary: "Who changed an experiment, when, what and why",
		description:
			"Every change there ever was, newest first. Nothing in it is ever changed or deleted.",
		answers: { 200: auditSchema },
		problems: [404, 422, 503],
	})
	async audit(
		@Param("key") key: string,
		@Query() query: Readonly<Record<string, unknown>>,
	): Promise<AuditPage> {
		const before = once("before", query.before);
		return this.reading.execute({
			key: experimentKey(key),
			limit: wholeNumber("limit", query.limit, [1, MOST_ENTRIES], 20),
			...(before !== undefined && {
				before: wholeNumber("before", before, [1, MOST_ID], 0),
			}),
		});
	}

	@Action("rollback", {
		summary: "Make a former definition the current one again",
		description:
			"The state stays. What is learned differs only where the version does: then the former version goes on with its own sums.",
		body: rollbackSchema,
		answer: rollbackAnswerSchema,
	})
	async rollback(@Sent() sent: SentChange) {
		const { to, ...asked } = actionOf(sent, rollbackSchema);
		const { definition, diff } = await this.rollingBack.execute({
			...asked,
			to: to as RollbackTo,
		});
		return { ...current(sent.reply, definition), ...diff };
	}
}
