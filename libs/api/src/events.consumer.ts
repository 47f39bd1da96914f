import { Controller, Inject } from "@nestjs/common";
import { MessagePattern, Payload, Transport } from "@nestjs/microservices";
import {
	ACCEPT_SUBJECT,
	answerEventsRequest,
	type EventsParts,
} from "./events-request-reply.js";
import type { ApiParts } from "./parts.js";
import { tokens } from "./tokens.js";

const ONE_ANSWERS = { queue: "segue-accept" };
const NOTHING = new Uint8Array();

/** Events by request-reply over NATS: judged and answered as over HTTP, where publishing them on `segue.events.TYPE` answers nothing. */
@Controller()
export class EventsConsumer {
	private readonly parts: EventsParts;

	constructor(
		@Inject(tokens.acceptEvents) acceptEvents: ApiParts["acceptEvents"],
		@Inject(tokens.onUnexpected) onUnexpected: ApiParts["onUnexpected"],
	) {
		this.parts = { acceptEvents, onUnexpected };
	}

	/** @param bytes the request as it came; null where nobody waits for an answer, so that nothing is accepted */
	@MessagePattern(ACCEPT_SUBJECT, Transport.NATS, ONE_ANSWERS)
	async accept(@Payload() bytes: Uint8Array | null): Promise<Uint8Array> {
		return bytes === null ? NOTHING : answerEventsRequest(this.parts, bytes);
	}
}
