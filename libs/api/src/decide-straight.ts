import type { ServerResponse } from "node:http";
import { type Decision, parseDecisionRequest } from "#usecases/deciding";
import { parseJsonBody } from "./json-body.js";
import { knownError } from "./known-error.js";
import type { ApiParts } from "./parts.js";
import { problemAnswer } from "./problem-answer.js";
import { traceIdOf } from "./request-headers.js";
import type { StraightRoute } from "./straight-route.js";

const PATH = "/v1/decisions";
const JSON_TYPE = "application/json; charset=utf-8";

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
		async answer(request, body, response) {
			try {
				const decision = await decide.execute(
					parseDecisionRequest(parseJsonBody(body)),
					traceIdOf(request.headers.traceparent),
				);
				send(response, 200, { "content-type": JSON_TYPE }, serialise(decision));
			} catch (error) {
				const known = knownError(error, isDatabaseAway);
				if (known === null) onUnexpected(error, `POST ${PATH}`);
				const { status, headers, text } = problemAnswer(known);
				send(response, status, headers, text);
			}
		},
	};
}

/** Named, so that a profile shows it. Written by hand key by key it took as long. */
function serialise(decision: Decision): string {
	return JSON.stringify(decision);
}

function send(
	response: ServerResponse,
	status: number,
	headers: Readonly<Record<string, string>>,
	text: string,
): void {
	response.writeHead(status, {
		...headers,
		"content-length": Buffer.byteLength(text),
	});
	response.end(text);
}
