import { isNotStored } from "#core/context";
import {
	EVENT_TYPE,
	findJsonProblem,
	isPlainObject,
	VISIT_TYPE,
} from "#core/experiment";
import { ByteWriter } from "./byte-writer.js";
import type { DecisionRow, Publisher } from "./decision-row.js";
import type { Event } from "./event.js";
import type { DecodedMessage, Item, Named } from "./pack.js";
import { parseDecisionRow } from "./parse-decision-row.js";
import { namedBy, parseEvent } from "./parse-event.js";
import { rawItems } from "./raw-items.js";
import { writeRow } from "./row-list.js";

/** Packs of decisions, of mixed experiments. */
export const LOG_SUBJECT = "segue.log.pack";
/** Packs of events of mixed types; no event type can be named `_pack`. */
export const EVENT_PACK_SUBJECT = "segue.events._pack";
const EVENT_PREFIX = "segue.events.";

const BOOT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** How many problems of an event its reason tells. */
const MOST_SENTENCES = 10;
/** Stands for the publisher of a pack that cannot be read. */
const UNKNOWN_PUBLISHER: Publisher = {
	boot: "00000000-0000-0000-0000-000000000000",
	sequence: 0,
};

/** An item before its text is looked for, which costs more than judging it. */
type Judged<T> =
	| { readonly ok: true; readonly value: T }
	| ({ readonly ok: false; readonly reason: string } & Named);

const writer = new ByteWriter();

/** Where clients publish one event of the type. */
export function eventSubject(type: string): string {
	return `${EVENT_PREFIX}${type}`;
}

export function encodeDecisions(
	rows: readonly DecisionRow[],
	publisher: Publisher,
): Uint8Array {
	const { boot, sequence } = publisher;
	writer.text(
		`${JSON.stringify({ boot, sequence }).slice(0, -1)},"decisions":[`,
	);
	rows.forEach((row, place) => {
		if (place > 0) writer.text(",");
		writeRow(row, writer);
	});
	writer.text("]}");
	return writer.take();
}

export function encodeEvents(
	events: readonly Event[],
	publisher: Publisher,
): Uint8Array {
	return toBytes({
		boot: publisher.boot,
		sequence: publisher.sequence,
		events,
	});
}

/** One event, as a client publishes it on its subject. */
export function encodeEvent(event: Event): Uint8Array {
	return toBytes(event);
}

/**
 * Judges a stream message item by item; never throws. What cannot be understood (no UTF-8, no JSON, nested deeper than 32,
 * NUL, a type that differs from the subject, …) becomes `{ok: false, reason, raw}` and spoils nothing beside it.
 */
export function decodeMessage(
	subject: string,
	body: Uint8Array,
): DecodedMessage {
	const isLog = subject === LOG_SUBJECT;
	const poison = (reason: string): DecodedMessage => {
		const items = [{ ok: false, reason, raw: body }] as const;
		return isLog
			? { kind: "decisions", publisher: UNKNOWN_PUBLISHER, items }
			: { kind: "events", publisher: null, items };
	};
	if (!isLog && subject !== EVENT_PACK_SUBJECT && !isEventSubject(subject))
		return poison(
			`unknown subject: ${subject.slice(0, 128)} is neither ${LOG_SUBJECT} nor ${EVENT_PREFIX}TYPE`,
		);
	const text = toText(body);
	if (text === null)
		return poison("not UTF-8: the body must be JSON text in UTF-8");
	let parsed: unknown;
	try {
		parsed = JSON.parse(text);
	} catch (error) {
		return poison(
			`not JSON: ${error instanceof Error ? error.message.slice(0, 200) : "unreadable"}`,
		);
	}
	const pack = { parsed, text, body };
	if (isLog) return decodePack(pack, "decisions", parseDecisionRow, poison);
	if (subject === EVENT_PACK_SUBJECT)
		return decodePack(pack, "events", judgePacked, poison);
	return {
		kind: "events",
		publisher: null,
		items: [judgeSingle(parsed, subject, body)],
	};
}

interface ReadPack {
	readonly parsed: unknown;
	readonly text: string;
	readonly body: Uint8Array;
}

function decodePack(
	pack: ReadPack,
	kind: "decisions" | "events",
	judge: (raw: unknown) => Judged<DecisionRow | Event>,
	poison: (reason: string) => DecodedMessage,
): DecodedMessage {
	const { parsed } = pack;
	const publisher = readPublisher(parsed);
	if (publisher === null)
		return poison(
			"bad pack: boot must be a UUID and sequence a whole number from 1",
		);
	const { [kind]: list, part } = parsed as { readonly [key: string]: unknown };
	if (!Array.isArray(list)) return poison(`bad pack: ${kind} must be a list`);
	const judged = list.map(judge);
	return {
		kind,
		publisher,
		...(part === true && { part }),
		items: judged.every((item) => item.ok)
			? judged
			: asTheyCame(judged, list, bytesOf(pack, kind, list.length)),
	} as DecodedMessage;
}

/** Items that are dead-lettered keep the bytes they had, each of them. */
function asTheyCame<T>(
	judged: readonly Judged<T>[],
	list: readonly unknown[],
	bytesAt: (i: number) => Uint8Array | null,
): readonly Item<T>[] {
	return judged.map((item, i) =>
		item.ok ? item : { ...item, raw: bytesAt(i) ?? writtenOut(list[i]) },
	);
}

/** Of the items under the key; null for all where they are not as many as were parsed. */
function bytesOf(
	{ text, body }: ReadPack,
	key: string,
	count: number,
): (i: number) => Uint8Array | null {
	const spans = rawItems(text, key);
	// As many characters as bytes: all are ASCII, and stand in the same places.
	const isAscii = text.length === body.length;
	return (i) => {
		const span = spans?.length === count ? spans[i] : undefined;
		if (span === undefined) return null;
		return isAscii
			? body.subarray(...span)
			: new TextEncoder().encode(text.slice(...span));
	};
}

function readPublisher(parsed: unknown): Publisher | null {
	if (!isPlainObject(parsed)) return null;
	const { boot, sequence } = parsed;
	if (typeof boot !== "string" || !BOOT.test(boot)) return null;
	if (
		typeof sequence !== "number" ||
		!Number.isSafeInteger(sequence) ||
		sequence < 1
	)
		return null;
	return { boot, sequence };
}

/** What Segue itself tells comes in packs alone, under a type that no event on a subject of its own can have. */
function judgePacked(raw: unknown): Judged<Event> {
	if (!isPlainObject(raw) || raw.type !== VISIT_TYPE) return judgeEvent(raw);
	const judged = judgeEvent({ ...raw, type: "visit" });
	return judged.ok
		? { ok: true, value: { ...judged.value, type: VISIT_TYPE } }
		: judged;
}

function judgeEvent(raw: unknown): Judged<Event> {
	const problem = findJsonProblem(raw);
	const event =
		problem === null
			? parseEvent(raw)
			: ({ ok: false, problems: [problem] } as const);
	return event.ok
		? event
		: { ok: false, reason: badEvent(event.problems), ...namedBy(raw) };
}

function judgeSingle(
	parsed: unknown,
	subject: string,
	raw: Uint8Array,
): Item<Event> {
	const judged = judgeEvent(parsed);
	if (!judged.ok) return { ...judged, raw };
	const { type } = judged.value;
	if (eventSubject(type) === subject) return judged;
	return {
		ok: false,
		reason: `wrong subject: the event's type is ${type}, but it came on ${subject}`,
		raw,
		...namedBy(judged.value),
	};
}

function badEvent(
	problems: readonly { readonly path: string; readonly message: string }[],
): string {
	const sentences = [...problems]
		.sort((a, b) => weightOf(a) - weightOf(b))
		.slice(0, MOST_SENTENCES)
		.map(({ path, message }) =>
			path === "" ? message : `${path}: ${message}`,
		);
	return `bad event: ${sentences.join(" ")}`;
}

/** What must not be stored comes first: by it the reason tells that the event is not to be kept (isNotStored). */
function weightOf({ message }: { readonly message: string }): number {
	return isNotStored(message) ? 0 : 1;
}

function isEventSubject(subject: string): boolean {
	return (
		subject.startsWith(EVENT_PREFIX) &&
		EVENT_TYPE.test(subject.slice(EVENT_PREFIX.length))
	);
}

function toBytes(value: object): Uint8Array {
	return new TextEncoder().encode(JSON.stringify(value));
}

/** Null where the body is no UTF-8. */
function toText(body: Uint8Array): string | null {
	try {
		return new TextDecoder("utf-8", { fatal: true }).decode(body);
	} catch {
		return null;
	}
}

/** An item of a pack as text again; one nested too deep for JSON.stringify's recursion is only described. */
function writtenOut(item: unknown): Uint8Array {
	try {
		return new TextEncoder().encode(JSON.stringify(item));
	} catch {
		return new TextEncoder().encode('"nested too deeply to be written out"');
	}
}
