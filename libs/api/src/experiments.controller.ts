import {
	Body,
	Controller,
	Get,
	Headers,
	HttpCode,
	Inject,
	Param,
	Post,
	Put,
	Res,
} from "@nestjs/common";
import { ApiHeader, ApiTags } from "@nestjs/swagger";
import type { FastifyReply } from "fastify";
import { EXPERIMENT_KEY } from "#core/experiment";
import {
	type ExperimentView,
	etagOf,
	type StoredDefinition,
	viewDefinition,
} from "#usecases/defining";
import { fail } from "#usecases/errors";
import { ChangeHeaders, Documented } from "./openapi.js";
import type { ApiParts } from "./parts.js";
import {
	auditOf,
	type Headers as HeaderValues,
	preconditionOf,
} from "./request-headers.js";
import { actionBody, experimentKey, required } from "./request-values.js";
import {
	experimentSchema,
	experimentViewSchema,
	openObject,
	putAnswerSchema,
	stopSchema,
	transitionSchema,
} from "./schemas.js";
import { tokens } from "./tokens.js";

const CHANGE_PROBLEMS = [400, 404, 409, 413, 415, 422, 503];

@ApiTags("experiments")
@Controller("v1/experiments")
export class ExperimentsController {
	constructor(
		@Inject(tokens.listExperiments)
		private readonly list: ApiParts["listExperiments"],
		@Inject(tokens.getExperiment)
		private readonly get: ApiParts["getExperiment"],
		@Inject(tokens.putExperiment)
		private readonly put: ApiParts["putExperiment"],
	) {}

	@Get()
	@Documented({
		summary: "Every experiment as it is now",
		answers: { 200: openObject },
		problems: [503],
	})
	async all(): Promise<{ experiments: ExperimentView[] }> {
		return { experiments: (await this.list.execute()).map(viewDefinition) };
	}

	@Get(":key")
	@Documented({
		summary: "One experiment, with its state, ETag and document",
		answers: { 200: experimentViewSchema },
		problems: [404, 503],
	})
	async one(
		@Param("key") key: string,
		@Res({ passthrough: true }) reply: FastifyReply,
	): Promise<ExperimentView> {
		return answer(reply, await this.get.execute(experimentKey(key)));
	}

	@Put(":key")
	@ChangeHeaders()
	@ApiHeader({
		name: "if-none-match",
		required: false,
		description: "`*`: create only.",
	})
	@Documented({
		summary: "Create an experiment as a draft, or edit it",
		description:
			"A change of context, reward or bucket width makes a new version. Repeating what is there changes nothing.",
		body: experimentSchema,
		answers: { 200: putAnswerSchema, 201: putAnswerSchema },
		problems: CHANGE_PROBLEMS,
	})
	async edit(
		@Param("key") key: string,
		@Body() document: unknown,
		@Headers() headers: HeaderValues,
		@Res({ passthrough: true }) reply: FastifyReply,
	) {
		if (!EXPERIMENT_KEY.test(key)) {
			const message =
				"An experiment key is up to 64 lower-case letters, digits and '-', and does not begin with '-'.";
			throw fail("invalid", message, [{ path: "key", message }]);
		}
		const request = {
			key,
			document: required(document),
			...auditOf(headers),
			...preconditionOf(headers),
		};
		const { definition, created, diff, warnings } =
			await this.put.execute(request);
		reply.code(created ? 201 : 200);
		return { ...answer(reply, definition), ...diff, warnings };
	}
}

/** The states of an experiment, each reached by an action of its own. */
@ApiTags("experiments")
@Controller("v1/experiments/:key")
export class ExperimentStatesController {
	constructor(
		@Inject(tokens.startExperiment)
		private readonly starting: ApiParts["startExperiment"],
		@Inject(tokens.pauseExperiment)
		private readonly pausing: ApiParts["pauseExperiment"],
		@Inject(tokens.stopExperiment)
		private readonly stopping: ApiParts["stopExperiment"],
		@Inject(tokens.resumeExperiment)
		private readonly resuming: ApiParts["resumeExperiment"],
	) {}

	@Post("start")
	@HttpCode(200)
	@ChangeHeaders()
	@Documented({
		summary: "Start an experiment: a new run",
		body: transitionSchema,
		answers: { 200: experimentViewSchema },
		problems: CHANGE_PROBLEMS,
	})
	async start(
		@Param("key") key: string,
		@Body() body: unknown,
		@Headers() headers: HeaderValues,
		@Res({ passthrough: true }) reply: FastifyReply,
	): Promise<ExperimentView> {
		const { why } = actionBody(transitionSchema, body);
		return answer(
			reply,
			await this.starting.execute({
				key: experimentKey(key),
				...auditOf(headers, why),
				...preconditionOf(headers),
			}),
		);
	}

	@Post("pause")
	@HttpCode(200)
	@ChangeHeaders()
	@Documented({
		summary:
			"Pause it: everyone gets the baseline arm, nothing is learned from that",
		body: transitionSchema,
		answers: { 200: experimentViewSchema },
		problems: CHANGE_PROBLEMS,
	})
	async pause(
		@Param("key") key: string,
		@Body() body: unknown,
		@Headers() headers: HeaderValues,
		@Res({ passthrough: true }) reply: FastifyReply,
	): Promise<ExperimentView> {
		const { why } = actionBody(transitionSchema, body);
		return answer(
			reply,
			await this.pausing.execute({
				key: experimentKey(key),
				...auditOf(headers, why),
				...preconditionOf(headers),
			}),
		);
	}

	@Post("resume")
	@HttpCode(200)
	@ChangeHeaders()
	@Documented({
		summary:
			"Resume what is paused, or what a guardrail holds: a new run of the same analysis, guardrails count afresh",
		body: transitionSchema,
		answers: { 200: experimentViewSchema },
		problems: CHANGE_PROBLEMS,
	})
	async resume(
		@Param("key") key: string,
		@Body() body: unknown,
		@Headers() headers: HeaderValues,
		@Res({ passthrough: true }) reply: FastifyReply,
	): Promise<ExperimentView> {
		const { why } = actionBody(transitionSchema, body);
		return answer(
			reply,
			await this.resuming.execute({
				key: experimentKey(key),
				...auditOf(headers, why),
				...preconditionOf(headers),
			}),
		);
	}

	@Post("stop")
	@HttpCode(200)
	@ChangeHeaders()
	@Documented({
		summary: "Stop it: everyone gets the winner, or the baseline arm",
		body: stopSchema,
		answers: { 200: experimentViewSchema },
		problems: CHANGE_PROBLEMS,
	})
	async stop(
		@Param("key") key: string,
		@Body() body: unknown,
		@Headers() headers: HeaderValues,
		@Res({ passthrough: true }) reply: FastifyReply,
	): Promise<ExperimentView> {
		const { why, winner } = actionBody(stopSchema, body);
		return answer(
			reply,
			await this.stopping.execute({
				key: experimentKey(key),
				winner,
				...auditOf(headers, why),
				...preconditionOf(headers),
			}),
		);
	}
}

function answer(
	reply: FastifyReply,
	definition: StoredDefinition,
): ExperimentView {
	reply.header("etag", etagOf(definition));
	return viewDefinition(definition);
}
