import { parseDecisionRequest } from "#usecases/deciding";
import type { ApiParts } from "./parts.js";
import { answerRequest } from "./request-reply.js";

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
	return answerRequest(
		{
			subject: "segue.decide",
			bytes,
			isDatabaseAway: () => false,
			onUnexpected,
		},
		(body) => decide.execute(parseDecisionRequest(body), traceId),
	);
}
