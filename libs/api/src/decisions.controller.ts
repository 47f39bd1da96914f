import {
	Body,
	Controller,
	Get,
	Headers,
	HttpCode,
	Inject,
	Param,
	Post,
	Query,
} from "@nestjs/common";
import { ApiHeader, ApiQuery, ApiTags } from "@nestjs/swagger";
import { type Decision, parseDecisionRequest } from "#usecases/deciding";
import { fail, type SegueError, toProblem } from "#usecases/errors";
import { Documented } from "./openapi.js";
import type { ApiParts } from "./parts.js";
import {
	headerOf,
	type Headers as SentHeaders,
	traceIdOf,
} from "./request-headers.js";
import { oneOf, required } from "./request-values.js";
import {
	batchAnswerSchema,
	decisionBatchSchema,
	decisionRequestSchema,
	decisionSchema,
	openObject,
	unknownDecisionSchema,
} from "./schemas.js";
import { tokens } from "./tokens.js";
import { viewDecision, viewEvents } from "./view-decision.js";

const traceparent = {
	name: "traceparent",
	required: false,
	description: "W3C trace context; its trace id is logged with the decision.",
};

@ApiTags("decisions")
@Controller("v1/decisions")
export class DecisionsController {
	constructor(
		@Inject(tokens.decide) private readonly decide: ApiParts["decide"],
		@Inject(tokens.decideBatch)
		private readonly decideBatch: ApiParts["decideBatch"],
		@Inject(tokens.findDecision)
		private readonly findDecision: ApiParts["findDecision"],
		@Inject(tokens.rederiveDecision)
		private readonly rederiveDecision: ApiParts["rederiveDecision"],
		@Inject(tokens.armKeysOf) private readonly armKeysOf: ApiParts["armKeysOf"],
	) {}

	@Post()
	@HttpCode(200)
	@ApiHeader(traceparent)
	@Documented({
		summary: "Decide which arm a unit gets",
		description:
			"Where the experiment declares client hints (`hint: downlink`), the request's headers give those features that its context does not: Sec-CH-UA-Mobile, Sec-CH-UA-Platform, Downlink, RTT, ECT, Save-Data, Sec-CH-Device-Memory.",
		body: decisionRequestSchema,
		answers: { 200: decisionSchema },
		problems: [400, 404, 409, 413, 415, 422, 503],
	})
	async one(
		@Body() body: unknown,
		@Headers() headers: SentHeaders,
	): Promise<Decision> {
		return this.decide.execute(
			parseDecisionRequest(required(body)),
			traceIdOf(headers.traceparent),
			{ header: (name) => headerOf(headers, name) },
		);
	}

	@Post("batch")
	@HttpCode(200)
	@ApiHeader(traceparent)
	@Documented({
		summary: "Decide up to 500 times in one request, each on its own",
		body: decisionBatchSchema,
		answers: { 200: batchAnswerSchema },
		problems: [400, 413, 415, 422],
	})
	async batch(@Body() body: unknown, @Headers() headers: SentHeaders) {
		const answers = await this.decideBatch.execute(
			required(body),
			traceIdOf(headers.traceparent),
			{ header: (name) => headerOf(headers, name) },
		);
		return {
			decisions: answers.map((answer) =>
				"problem" in answer ? { problem: toProblem(answer.problem) } : answer,
			),
		};
	}

	@Get(":id")
	@ApiQuery({ name: "explain", required: false, enum: ["false", "true"] })
	@Documented({
		summary:
			"A decision as it was logged, with its events, their verdicts and its reward; explain=true derives it again from the log",
		description:
			"With explain=true the answer has `explanation`, as `explain: true` gives it with a decision, and `rederived`: `{equal, differences, revision, oldestRevision, why}`. `equal` says whether the decision came out again bit for bit; it is null, with the reason in `why`, where that cannot be told.",
		answers: { 200: openObject },
		problems: [404, 422, 503],
		problemSchemas: { 404: unknownDecisionSchema },
	})
	async find(@Param("id") id: string, @Query("explain") explain?: unknown) {
		const wanted = oneOf("explain", explain, ["false", "true"], "false");
		const stored = await this.findDecision.execute(id.toLowerCase());
		if (stored.row === null) throw notCome(id, stored.events);
		const view = viewDecision(
			stored,
			await this.armKeysOf(stored.row.definitionId),
		);
		return wanted === "true"
			? { ...view, ...(await this.rederiveDecision.execute(stored.row)) }
			: view;
	}
}

function notCome(
	id: string,
	events: Parameters<typeof viewEvents>[0],
): SegueError {
	return fail(
		"unknown-decision",
		`There is no decision "${id}", but events name it: \`events\` has them. Those that wait count once it comes, and expire with its day of the log.`,
		[],
		{ members: { events: viewEvents(events) } },
	);
}
