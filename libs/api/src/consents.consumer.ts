import { Controller, Inject } from "@nestjs/common";
import { MessagePattern, Payload, Transport } from "@nestjs/microservices";
import {
	answerConsentRequest,
	type ConsentParts,
	type ConsentSubject,
	GET_CONSENT_SUBJECT,
	PUT_CONSENT_SUBJECT,
} from "./consents-request-reply.js";
import type { ApiParts } from "./parts.js";
import { tokens } from "./tokens.js";

const ONE_ANSWERS = { queue: "segue-consents" };
const NOTHING = new Uint8Array();

/** Consents by request-reply over NATS. */
@Controller()
export class ConsentsConsumer {
	private readonly parts: ConsentParts;

	constructor(
		@Inject(tokens.putConsent) putConsent: ApiParts["putConsent"],
		@Inject(tokens.getConsent) getConsent: ApiParts["getConsent"],
		@Inject(tokens.isDatabaseAway) isDatabaseAway: ApiParts["isDatabaseAway"],
		@Inject(tokens.onUnexpected) onUnexpected: ApiParts["onUnexpected"],
	) {
		this.parts = { putConsent, getConsent, isDatabaseAway, onUnexpected };
	}

	@MessagePattern(PUT_CONSENT_SUBJECT, Transport.NATS, ONE_ANSWERS)
	async put(@Payload() bytes: Uint8Array | null): Promise<Uint8Array> {
		return this.answer(PUT_CONSENT_SUBJECT, bytes);
	}

	@MessagePattern(GET_CONSENT_SUBJECT, Transport.NATS, ONE_ANSWERS)
	async get(@Payload() bytes: Uint8Array | null): Promise<Uint8Array> {
		return this.answer(GET_CONSENT_SUBJECT, bytes);
	}

	/** Null where nobody waits for an answer, so that nothing is done. */
	private async answer(
		subject: ConsentSubject,
		bytes: Uint8Array | null,
	): Promise<Uint8Array> {
		return bytes === null
			? NOTHING
			: answerConsentRequest(subject, this.parts, bytes);
	}
}
