import { toProblem } from "#usecases/errors";
import { parseJsonBody } from "./json-body.js";
import { knownError } from "./known-error.js";
import type { ApiParts } from "./parts.js";

export interface AskedFor
	extends Pick<ApiParts, "isDatabaseAway" | "onUnexpected"> {
	readonly subject: string;
	readonly bytes: Uint8Array;
}

const encoder = new TextEncoder();

/** The JSON that answers a request over NATS; a problem has `status`. Never rejects, since whoever asked would wait in vain. */
export async function answerRequest(
	{ subject, bytes, isDatabaseAway, onUnexpected }: AskedFor,
	answer: (body: unknown) => Promise<unknown>,
): Promise<Uint8Array> {
	return encoder.encode(JSON.stringify(await answerOrProblem()));

	async function answerOrProblem(): Promise<unknown> {
		try {
			return await answer(parseJsonBody(bytes));
		} catch (error) {
			const known = knownError(error, isDatabaseAway);
			if (known === null) onUnexpected(error, subject);
			return toProblem(known);
		}
	}
}
