import { Controller, Inject } from "@nestjs/common";
import {
	Ctx,
	MessagePattern,
	NatsContext,
	Payload,
	Transport,
} from "@nestjs/microservices";
import { answerDecideRequest } from "./decide-request-reply.js";
import type { ApiParts } from "./parts.js";
import { traceIdOf } from "./request-headers.js";
import { tokens } from "./tokens.js";

export const DECIDE_SUBJECT = "segue.decide";
const NOTHING = new Uint8Array();

/** Request-reply over NATS. One queue group: of several deciders one answers. */
@Controller()
export class DecideConsumer {
	constructor(
		@Inject(tokens.decide) private readonly decide: ApiParts["decide"],
		@Inject(tokens.onUnexpected)
		private readonly onUnexpected: ApiParts["onUnexpected"],
	) {}

	/** @param bytes the request as it came; null where nobody waits for an answer, so that nothing is decided */
	@MessagePattern(DECIDE_SUBJECT, Transport.NATS, { queue: "segue-decide" })
	async answer(
		@Payload() bytes: Uint8Array | null,
		@Ctx() context: NatsContext,
	): Promise<Uint8Array> {
		if (bytes === null) return NOTHING;
		const trace: unknown = context.getHeaders()?.get?.("traceparent");
		return answerDecideRequest(
			this.decide,
			bytes,
			traceIdOf(typeof trace === "string" ? trace : undefined),
			this.onUnexpected,
		);
	}
}
