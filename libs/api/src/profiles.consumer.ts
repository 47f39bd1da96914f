import { Controller, Inject } from "@nestjs/common";
import { MessagePattern, Payload, Transport } from "@nestjs/microservices";
import type { ApiParts } from "./parts.js";
import {
	answerProfileRequest,
	GET_PROFILE_SUBJECT,
	type ProfileParts,
	type ProfileSubject,
	PUT_PROFILE_SUBJECT,
} from "./profiles-request-reply.js";
import { tokens } from "./tokens.js";

const ONE_ANSWERS = { queue: "segue-profiles" };
const NOTHING = new Uint8Array();

/** Profiles by request-reply over NATS. */
@Controller()
export class ProfilesConsumer {
	private readonly parts: ProfileParts;

	constructor(
		@Inject(tokens.putProfile) putProfile: ApiParts["putProfile"],
		@Inject(tokens.getProfile) getProfile: ApiParts["getProfile"],
		@Inject(tokens.isDatabaseAway) isDatabaseAway: ApiParts["isDatabaseAway"],
		@Inject(tokens.onUnexpected) onUnexpected: ApiParts["onUnexpected"],
	) {
		this.parts = { putProfile, getProfile, isDatabaseAway, onUnexpected };
	}

	@MessagePattern(PUT_PROFILE_SUBJECT, Transport.NATS, ONE_ANSWERS)
	async put(@Payload() bytes: Uint8Array | null): Promise<Uint8Array> {
		return this.answer(PUT_PROFILE_SUBJECT, bytes);
	}

	@MessagePattern(GET_PROFILE_SUBJECT, Transport.NATS, ONE_ANSWERS)
	async get(@Payload() bytes: Uint8Array | null): Promise<Uint8Array> {
		return this.answer(GET_PROFILE_SUBJECT, bytes);
	}

	/** Null where nobody waits for an answer, so that nothing is done. */
	private async answer(
		subject: ProfileSubject,
		bytes: Uint8Array | null,
	): Promise<Uint8Array> {
		return bytes === null
			? NOTHING
			: answerProfileRequest(subject, this.parts, bytes);
	}
}
