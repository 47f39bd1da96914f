import { type Decision, parseDecisionRequest } from "#usecases/deciding";
import { parseJsonBody } from "./json-body.js";
import { knownError } from "./known-error.js";
import type { ApiParts } from "./parts.js";
import { problemAnswer } from "./problem-answer.js";
import { traceIdOf } from "./request-headers.js";
import type { StraightRoute } from "./straight-route.js";

const PATH = "/v1/decisions";
const JSON_HEADERS = { "content-type": "application/json; charset=utf-8" };

/** `POST /v1/decisions` without a framework: the same steps, answers and problems as the controller's. */
export function decideStraight({
	decide,
	isDatabaseAway,
	onUnexpected,
}: Pick<
	ApiParts,
	"decide" | "isDatabaseAway" | "onUnexpected"
>): StraightRoute {
	return {
		path: PATH,
		async answer(request) {
			try {
				const decision = await decide.execute(
					parseDecisionRequest(parseJsonBody(request.body)),
					traceIdOf(request.traceparent),
				);
				request.reply(200, JSON_HEADERS, serialise(decision));
			} catch (error) {
				const known = knownError(error, isDatabaseAway);
				if (known === null) onUnexpected(error, `POST ${PATH}`);
				const { status, headers, text } = problemAnswer(known);
				request.reply(status, headers, text);
			}
		},
	};
}

/** Named, so that a profile shows it. Written by hand key by key it took as long. */
function serialise(decision: Decision): string {
	return JSON.stringify(decision);
}
