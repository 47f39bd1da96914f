import { whyNameIsNotStored, whyTextIsNotStored } from "#core/context";
import {
	EVENT_TYPE,
	findJsonProblem,
	isPlainObject,
	type JsonObject,
	joinPath,
	MOST_VALUE,
	PRINTABLE,
	type Problem,
	RETRACT,
	unknownKeyMessage,
} from "#core/experiment";
import { quantise } from "#core/linalg";
import { isDecisionId } from "./decision-id.js";
import type { Event } from "./event.js";
import { parseInstant } from "./instant.js";
import type { Named } from "./pack.js";

/** Of an event as a client sends it. */
export const EVENT_KEYS: readonly string[] = [
	"id",
	"type",
	"at",
	"unit",
	"decisionId",
	"value",
	"session",
	"item",
	"slot",
	"properties",
	"retracts",
];
const MOST_PROPERTIES_BYTES = 2048;
const MOST_SLOT = 1_000_000;

export type ParsedEvent =
	| { readonly ok: true; readonly value: Event }
	| { readonly ok: false; readonly problems: Problem[] };

/**
 * One event as a client sends it → Event, or all its problems with paths below `path`. `at` is ISO 8601 with offset or whole
 * milliseconds since the epoch; `value` is rounded to the 2⁻¹² grid; optional fields that are null count as absent.
 */
export function parseEvent(raw: unknown, path = ""): ParsedEvent {
	if (!isPlainObject(raw))
		return {
			ok: false,
			problems: [{ path, message: "An event must be an object." }],
		};
	const problems: Problem[] = [];
	const refuse = (key: string, message: string) => {
		problems.push({ path: joinPath(path, key), message });
		return undefined;
	};
	for (const key of Object.keys(raw))
		if (!EVENT_KEYS.includes(key))
			refuse(key.slice(0, 64), unknownKeyMessage(key, EVENT_KEYS));
	const fields = new Fields(raw, refuse);
	const type = fields.required(
		"type",
		(type) =>
			typeof type === "string" && EVENT_TYPE.test(type) ? type : undefined,
		TYPE_RULE,
	);
	const event = {
		id: fields.required("id", printable, PRINTABLE_RULE),
		type,
		at: fields.required("at", (at) => parseInstant(at) ?? undefined, AT_RULE),
		unit: fields.required("unit", printable, PRINTABLE_RULE),
		decisionId: fields.optional(
			"decisionId",
			decisionId,
			"Must be the decisionId of a decision's answer, a UUIDv7.",
		),
		value: fields.optional(
			"value",
			eventValue,
			`Must be a finite number within ±${MOST_VALUE}.`,
		),
		session: fields.optional("session", printable, PRINTABLE_RULE),
		item: fields.optional("item", printable, PRINTABLE_RULE),
		slot: fields.optional(
			"slot",
			slot,
			`Must be a whole number from 0 to ${MOST_SLOT}.`,
		),
		properties: fields.optional("properties", properties, PROPERTIES_RULE),
		retracts: fields.optional("retracts", printable, PRINTABLE_RULE),
	};
	refuseUnstored(event.properties ?? {}, refuse);
	retractProblems(raw, type, refuse);
	if (problems.length > 0) return { ok: false, problems };
	return { ok: true, value: event as Event };
}

/** What names it, where it is well-formed for itself, whatever else is wrong. */
export function namedBy(raw: unknown): Named {
	if (!isPlainObject(raw)) return {};
	const named = decisionId(raw.decisionId);
	const id = printable(raw.id);
	return {
		...(named !== undefined && { decisionId: named }),
		...(id !== undefined && { eventId: id }),
	};
}

const TYPE_RULE =
	"Must be 1 to 64 letters, digits, underscores or hyphens, starting with a letter or digit.";
const PRINTABLE_RULE = "Must be 1 to 256 printable characters.";
const AT_RULE =
	"Must be a time with offset, such as 2026-01-05T07:30:00Z, or whole milliseconds since the epoch.";
const PROPERTIES_RULE =
	"Must be an object of labels, numbers, booleans and nulls, at most 2 KB of JSON.";
/** A name without anything that could be a text or a number. */
const HARMLESS_NAME = /^[A-Za-z_-]{1,64}$/;

class Fields {
	constructor(
		private readonly raw: { readonly [key: string]: unknown },
		private readonly refuse: (key: string, message: string) => undefined,
	) {}

	required<T>(
		key: string,
		read: (value: unknown) => T | undefined,
		rule: string,
	): T | undefined {
		return this.#sent(key) === undefined
			? this.refuse(key, "Required, but missing.")
			: this.optional(key, read, rule);
	}

	optional<T>(
		key: string,
		read: (value: unknown) => T | undefined,
		rule: string,
	): T | undefined {
		const value = this.#sent(key);
		if (value === undefined) return undefined;
		return read(value) ?? this.refuse(key, rule);
	}

	#sent(key: string): unknown {
		return Object.hasOwn(this.raw, key)
			? (this.raw[key] ?? undefined)
			: undefined;
	}
}

function printable(value: unknown): string | undefined {
	return typeof value === "string" && PRINTABLE.test(value) ? value : undefined;
}

function decisionId(value: unknown): string | undefined {
	const id = typeof value === "string" ? value.toLowerCase() : "";
	return isDecisionId(id) ? id : undefined;
}

function eventValue(value: unknown): number | undefined {
	// + 0 turns −0 into 0: both are the same value and must have one hash.
	return typeof value === "number" && Math.abs(value) <= MOST_VALUE
		? quantise(value) + 0
		: undefined;
}

function slot(value: unknown): number | undefined {
	return typeof value === "number" &&
		Number.isInteger(value) &&
		value >= 0 &&
		value <= MOST_SLOT
		? value + 0
		: undefined;
}

function properties(value: unknown): JsonObject | undefined {
	if (!isPlainObject(value) || findJsonProblem(value) !== null)
		return undefined;
	if (
		Object.values(value).some(
			(item) => typeof item === "object" && item !== null,
		)
	)
		return undefined;
	return new TextEncoder().encode(JSON.stringify(value)).length <=
		MOST_PROPERTIES_BYTES
		? (value as JsonObject)
		: undefined;
}

/** What is not stored is not repeated either, since problems become answers and reasons of dead letters. */
function refuseUnstored(
	properties: JsonObject,
	refuse: (key: string, message: string) => void,
): void {
	Object.entries(properties).forEach(([name, value], place) => {
		const whyName = whyNameIsNotStored(name);
		if (whyName !== null && !HARMLESS_NAME.test(name)) {
			refuse("properties", `The name of property ${place + 1} ${whyName}.`);
			return;
		}
		const why =
			whyName ?? (typeof value === "string" ? whyTextIsNotStored(value) : null);
		if (why !== null) refuse(`properties.${name}`, `${name} ${why}.`);
	});
}

function retractProblems(
	raw: { readonly [key: string]: unknown },
	type: string | undefined,
	refuse: (key: string, message: string) => void,
): void {
	const has = (key: string) =>
		Object.hasOwn(raw, key) && raw[key] !== undefined && raw[key] !== null;
	if (type === RETRACT) {
		if (!has("decisionId"))
			refuse(
				"decisionId",
				"A retract must name the decision whose event it takes back.",
			);
		if (!has("retracts"))
			refuse(
				"retracts",
				"A retract must name the id of the event it takes back.",
			);
	} else if (has("retracts"))
		refuse(
			"retracts",
			"Only an event of type retract takes another back; leave it out.",
		);
}
