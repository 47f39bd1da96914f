import { parseDecisionRequest } from "#usecases/deciding";
import { toProblem } from "#usecases/errors";
import { parseJsonBody } from "./json-body.js";
import { knownError } from "./known-error.js";
import type { ApiParts } from "./parts.js";

const encoder = new TextEncoder();

/**
 * One request on `segue.decide`: the JSON of `POST /v1/decisions` in, its answer out; a problem has `status`. Never rejects, since
 * whoever asked would wait in vain.
 */
export async function answerDecideRequest(
	decide: ApiParts["decide"],
	bytes: Uint8Array,
	traceId: string | null = null,
	onUnexpected: (error: unknown, where: string) => void = () => {},
): Promise<Uint8Array> {
	return encoder.encode(JSON.stringify(await answer()));

	async function answer(): Promise<unknown> {
		try {
			return await decide.execute(
				parseDecisionRequest(parseJsonBody(bytes)),
				traceId,
			);
		} catch (error) {
			const known = knownError(error, () => false);
			if (known === null) onUnexpected(error, "segue.decide");
			return toProblem(known);
		}
	}
}
