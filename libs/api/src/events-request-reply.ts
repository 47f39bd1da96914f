import type { ApiParts } from "./parts.js";
import { answerRequest } from "./request-reply.js";

export const ACCEPT_SUBJECT = "segue.accept";

export type EventsParts = Pick<ApiParts, "acceptEvents" | "onUnexpected">;

/** One request on `segue.accept`: the JSON of `POST /v1/events` in, its answer out; a problem has `status`. Never rejects, since whoever asked would wait in vain. */
export async function answerEventsRequest(
	{ acceptEvents, onUnexpected }: EventsParts,
	bytes: Uint8Array,
): Promise<Uint8Array> {
	return answerRequest(
		{
			subject: ACCEPT_SUBJECT,
			bytes,
			isDatabaseAway: () => false,
			onUnexpected,
		},
		(body) => acceptEvents.execute(body),
	);
}
