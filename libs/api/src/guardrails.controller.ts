import { Controller, Get, Inject, Param } from "@nestjs/common";
import { ApiTags } from "@nestjs/swagger";
import { z } from "zod";
import { type GuardrailsView, viewGuardrails } from "#usecases/guarding";
import { Documented } from "./openapi.js";
import type { ApiParts } from "./parts.js";
import { experimentKey } from "./request-values.js";
import { tokens } from "./tokens.js";

const time = z.string().describe("ISO 8601.");
const count = z.number().int();

/** Answer of `GET /v1/experiments/:key/guardrails`. */
const guardrailsSchema = z.strictObject({
	experiment: z.string(),
	state: z.enum(["draft", "running", "paused", "stopped"]),
	held: z
		.boolean()
		.describe("A guardrail has policy units served as control is."),
	run: count,
	since: time
		.nullable()
		.describe(
			"Since when guardrails count, or did last: a start, a resume, or an edit of what they depend on. Null: it never ran.",
		),
	guardrails: z.array(
		z.strictObject({
			index: count.describe("Its place in the definition, from 0 on."),
			metric: z.string(),
			action: z.enum(["alert", "pause", "control"]),
			status: z
				.enum(["waiting", "holds", "tripped"])
				.describe("tripped: it acted since it counts."),
			decisions: count.describe("Of the policy group, whose time has passed."),
			units: count,
			value: z.number().nullable().describe("The metric so far."),
			limit: z.number().nullable().describe("What it is held against."),
			beyondAtLeast: z
				.number()
				.nullable()
				.describe(
					"How far it is at least beyond the limit, valid at all looks at once; not proved while below 0.",
				),
			sentence: z.string(),
			trip: z
				.strictObject({ at: time, sentence: z.string() })
				.nullable()
				.describe("When it acted, and what it saw then."),
		}),
	),
});

/** What an experiment's guardrails have seen and done. */
@ApiTags("experiments")
@Controller("v1/experiments/:key")
export class GuardrailsController {
	constructor(
		@Inject(tokens.readGuardrails)
		private readonly readGuardrails: ApiParts["readGuardrails"],
	) {}

	@Get("guardrails")
	@Documented({
		summary:
			"What guardrails have counted since the last start or resume, and what they did",
		answers: { 200: guardrailsSchema },
		problems: [404, 422, 503],
	})
	async guardrails(@Param("key") key: string): Promise<GuardrailsView> {
		return viewGuardrails(
			await this.readGuardrails.execute(experimentKey(key)),
		);
	}
}
