import type { JsonObject } from "#core/experiment";
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
					request,
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

/**
 * A decision's JSON. A plain one is put together of a payload written once and names that need no escape, the keys as `answerDrawn` has
 * them: 0.4 µs where JSON.stringify takes 1.3. An answer kept for its `requestId` may have been made by another version, with keys
 * of its own: its payload was read from JSON and is not frozen, as those of definitions are.
 */
function serialise(decision: Decision): string {
	const { decisionId, experiment, version, arm, propensity, revision } =
		decision;
	const isPlain =
		decision.mode !== "best" &&
		!decision.repeated &&
		Object.isFrozen(decision.payload) &&
		decision.explanation === undefined;
	if (!isPlain) return JSON.stringify(decision);
	return `{"decisionId":"${decisionId}","experiment":"${experiment}","version":${version},"arm":"${arm}","payload":${payloadText(decision.payload)},"propensity":${propensity},"group":"${decision.group}","revision":${revision},"missing":${listText(decision.missing)},"ignored":${listText(decision.ignored)},"degraded":${listText(decision.degraded)}}`;
}

const payloads = new WeakMap<JsonObject, string>();

/** Payloads are frozen with their definition. */
function payloadText(payload: JsonObject): string {
	const known = payloads.get(payload);
	if (known !== undefined) return known;
	const text = JSON.stringify(payload);
	payloads.set(payload, text);
	return text;
}

function listText(list: readonly string[]): string {
	return list.length === 0 ? "[]" : JSON.stringify(list);
}
