import {
	asPart,
	type DecodedMessage,
	encodeDecisions,
	encodeEvent,
	encodeEvents,
	encodePart,
	timeOfId,
} from "#core/log";
import type { DeadLetter, LoggedDecision, LoggedEvent } from "./ports.js";

/**
 * The payload of a dead letter is a message of its subject, so that redriving is publishing it there again: the body to the byte where
 * the message as a whole could not be read or held one event, else a pack of the one item, marked as a part.
 */
export function payloadOfPoison(
	body: Uint8Array,
	{ kind, publisher }: DecodedMessage,
	raw: Uint8Array,
): Uint8Array {
	return publisher === null || publisher.sequence === 0
		? body
		: encodePart(kind, publisher, raw);
}

export function refusedDecision(
	{ row, publisher, source }: LoggedDecision,
	reason: string,
): DeadLetter {
	const payload = asPart(encodeDecisions([row], publisher));
	return { source, reason, payload, at: timeOfId(row.id) };
}

export function refusedEvent(
	{ event, publisher, source }: LoggedEvent,
	reason: string,
): DeadLetter {
	const payload =
		publisher === null
			? encodeEvent(event)
			: asPart(encodeEvents([event], publisher));
	const { decisionId } = event;
	return decisionId === undefined
		? { source, reason, payload, at: event.at }
		: { source, reason, payload, at: timeOfId(decisionId), decisionId };
}
