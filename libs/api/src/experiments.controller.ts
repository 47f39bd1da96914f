import { Controller, Get, Inject, Param, Put, Res } from "@nestjs/common";
import { ApiHeader, ApiParam, ApiTags } from "@nestjs/swagger";
import type { FastifyReply } from "fastify";
import { EXPERIMENT_KEY } from "#core/experiment";
import { type ExperimentView, viewDefinition } from "#usecases/defining";
import { fail } from "#usecases/errors";
import {
	Action,
	actionOf,
	CHANGE_PROBLEMS,
	current,
	Sent,
	type SentChange,
} from "./change-route.js";
import { ChangeHeaders, Documented } from "./openapi.js";
import type { ApiParts } from "./parts.js";
import { auditOf, preconditionOf } from "./request-headers.js";
import { experimentKey, required } from "./request-values.js";
import {
	experimentSchema,
	experimentViewSchema,
	openObject,
	putAnswerSchema,
	stopSchema,
	transitionSchema,
} from "./schemas.js";
import { tokens } from "./tokens.js";

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
		return current(reply, await this.get.execute(experimentKey(key)));
	}

	@Put(":key")
	@ApiParam({ name: "key" })
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
	async edit(@Sent() { key, body, headers, reply }: SentChange) {
		if (!EXPERIMENT_KEY.test(key)) {
			const message =
				"An experiment key is up to 64 lower-case letters, digits and '-', and does not begin with '-'.";
			throw fail("invalid", message, [{ path: "key", message }]);
		}
		const request = {
			key,
			document: required(body),
			...auditOf(headers),
			...preconditionOf(headers),
		};
		const { definition, created, diff, warnings } =
			await this.put.execute(request);
		reply.code(created ? 201 : 200);
		return { ...current(reply, definition), ...diff, warnings };
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

	@Action("start", {
		summary: "Start an experiment: a new run",
		body: transitionSchema,
		answer: experimentViewSchema,
	})
	async start(@Sent() sent: SentChange): Promise<ExperimentView> {
		const asked = actionOf(sent, transitionSchema);
		return current(sent.reply, await this.starting.execute(asked));
	}

	@Action("pause", {
		summary:
			"Pause it: everyone gets the baseline arm, nothing is learned from that",
		body: transitionSchema,
		answer: experimentViewSchema,
	})
	async pause(@Sent() sent: SentChange): Promise<ExperimentView> {
		const asked = actionOf(sent, transitionSchema);
		return current(sent.reply, await this.pausing.execute(asked));
	}

	@Action("resume", {
		summary:
			"Resume what is paused, or what a guardrail holds: a new run of the same analysis, guardrails count afresh",
		body: transitionSchema,
		answer: experimentViewSchema,
	})
	async resume(@Sent() sent: SentChange): Promise<ExperimentView> {
		const asked = actionOf(sent, transitionSchema);
		return current(sent.reply, await this.resuming.execute(asked));
	}

	@Action("stop", {
		summary: "Stop it: everyone gets the winner, or the baseline arm",
		body: stopSchema,
		answer: experimentViewSchema,
	})
	async stop(@Sent() sent: SentChange): Promise<ExperimentView> {
		const asked = actionOf(sent, stopSchema);
		return current(sent.reply, await this.stopping.execute(asked));
	}
}
