import {
	type DecisionRow,
	EVENT_PACK_SUBJECT,
	type Event,
	encodeDecisions,
	encodeEvent,
	encodeEvents,
	eventSubject,
	LOG_SUBJECT,
} from "#core/log";
import type { PlainDecision, PlainEvent } from "./plain-fold.js";

/** An item as it is sent, and as the model sees it. */
export type Sent =
	| { readonly decision: PlainDecision; readonly row: DecisionRow }
	| { readonly event: PlainEvent }
	| { readonly poison: true; readonly unit: string; readonly text: string };

export interface Message {
	readonly position: number;
	readonly storedAt: number;
	readonly kind: "decisions" | "events" | "one event" | "poison";
	readonly items: Sent[];
}

const BOOT = "00000000-0000-4000-8000-00000000c4a5";

/** Whether which of them is stored first matters: several bodies under one id. */
export function contradict(
	one: readonly Message[],
	other: readonly Message[],
): boolean {
	const bodies = new Map<string, string>();
	return [...one, ...other]
		.flatMap(({ items }) => items)
		.some((item) => {
			if (!("event" in item)) return false;
			const { decisionId, unit, id } = item.event;
			const key = `${decisionId ?? unit} ${id}`;
			const body = JSON.stringify(item.event);
			const known = bodies.get(key) ?? body;
			bodies.set(key, body);
			return known !== body;
		});
}

/** As the stream would deliver it. */
export function encoded({ kind, items, position, storedAt }: Message) {
	const publisher = { boot: BOOT, sequence: position + 1 };
	const texts = items.flatMap((item) => ("text" in item ? [item.text] : []));
	const events = items.flatMap((item) =>
		"event" in item ? [toEvent(item.event)] : [],
	);
	const rows = items.flatMap((item) => ("row" in item ? [item.row] : []));
	const message = (subject: string, body: Uint8Array) => ({
		subject,
		body,
		position,
		storedAt,
	});
	const bytes = new TextEncoder();
	switch (kind) {
		case "decisions":
			return message(LOG_SUBJECT, encodeDecisions(rows, publisher));
		case "one event": {
			const [event] = events as [Event];
			return message(eventSubject(event.type), encodeEvent(event));
		}
		case "poison":
			return message("segue.events.play", bytes.encode(texts.join("")));
		case "events": {
			if (texts.length === 0)
				return message(EVENT_PACK_SUBJECT, encodeEvents(events, publisher));
			const list = items.map((item) =>
				"text" in item
					? item.text
					: JSON.stringify(toEvent((item as { event: PlainEvent }).event)),
			);
			const head = JSON.stringify(publisher).slice(0, -1);
			return message(
				EVENT_PACK_SUBJECT,
				bytes.encode(`${head},"events":[${list.join(",")}]}`),
			);
		}
	}
}

const toEvent = ({ idTime: _, ...event }: PlainEvent): Event => event;
