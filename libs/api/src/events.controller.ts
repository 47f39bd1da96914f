import { Body, Controller, HttpCode, Inject, Post } from "@nestjs/common";
import { ApiTags } from "@nestjs/swagger";
import type { EventsAnswer } from "#usecases/ingesting";
import { Documented } from "./openapi.js";
import type { ApiParts } from "./parts.js";
import { required } from "./request-values.js";
import { eventsAnswerSchema, eventsSchema } from "./schemas.js";
import { tokens } from "./tokens.js";

@ApiTags("events")
@Controller("v1/events")
export class EventsController {
	constructor(
		@Inject(tokens.acceptEvents)
		private readonly acceptEvents: ApiParts["acceptEvents"],
	) {}

	@Post()
	@HttpCode(202)
	@Documented({
		summary:
			"Tell what happened: up to 1,000 events, each accepted or rejected on its own",
		body: eventsSchema,
		answers: { 202: eventsAnswerSchema },
		problems: [400, 413, 415, 422, 503],
	})
	async accept(@Body() body: unknown): Promise<EventsAnswer> {
		return this.acceptEvents.execute(required(body));
	}
}
