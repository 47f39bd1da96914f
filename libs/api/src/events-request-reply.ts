import { toProblem } from "#usecases/errors";
import { parseJsonBody } from "./json-body.js";
import { knownError } from "./known-error.js";
import type { ApiParts } from "./parts.js";

export const ACCEPT_SUBJECT = "segue.accept";

export type EventsParts = Pick<ApiParts, "acceptEvents" | "onUnexpected">;

const encoder = new TextEncoder();

/** One request on `segue.accept`: the JSON of `POST /v1/events` in, its answer out; a problem has `status`. Never rejects, since whoever asked would wait in vain. */
export async function answerEventsRequest(
	{ acceptEvents, onUnexpected }: EventsParts,
	bytes: Uint8Array,
): Promise<Uint8Array> {
	return encoder.encode(JSON.stringify(await answer()));

	async function answer(): Promise<unknown> {
		try {
			return await acceptEvents.execute(parseJsonBody(bytes));
		} catch (error) {
			const known = knownError(error, () => false);
			if (known === null) onUnexpected(error, ACCEPT_SUBJECT);
			return toProblem(known);
		}
	}
}
