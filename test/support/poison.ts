import type { Definition } from "#core/experiment";
import {
	type DecisionRow,
	EVENT_PACK_SUBJECT,
	type Event,
	encodeDecisions,
	eventSubject,
	LOG_SUBJECT,
} from "#core/log";
import { aDecision, idAt } from "./builders.js";

/** What a message may be at most, and one byte less than that. */
export const JUST_UNDER_1_MIB = 1_048_576 - 1;
const YEAR_3000 = Date.UTC(3000, 0, 1);
const DEEP = 10_000;

/** What cannot be learned, and how the reason of its dead letter begins. */
export interface Poison {
	readonly what: string;
	readonly reason: string;
	/** Beside good items of a pack, or as a message of its own, since nothing around it can be read. */
	readonly in: "decisions" | "events" | "message";
	/** As large as a message may be, so that it shares its pack with few. */
	readonly large?: true;
	readonly subject?: string;
	/** `room`: how many bytes of text a large one may have. */
	make(i: number, now: number, room: number): string | Uint8Array;
}

/** A decision in the text that it has in a pack. */
export function textOfDecision(row: DecisionRow): string {
	const pack = new TextDecoder().decode(encodeDecisions([row], publisher(1)));
	return pack.slice(pack.indexOf("[", 1) + 1, -2);
}

const BOOT = "00000000-0000-4000-8000-0000000b01d5";
export const publisher = (sequence: number) => ({ boot: BOOT, sequence });

/** Places of a decision's fields in its list. */
const [EXPERIMENT, DEFINITION, UNIT, CONTEXT] = [1, 3, 4, 10] as const;
const HOLE = '"@"';
const nested = "[".repeat(DEEP) + "]".repeat(DEEP);

export function poisonOf(definition: Definition): readonly Poison[] {
	const row = (i: number, now: number, fields: Partial<DecisionRow> = {}) =>
		aDecision(definition, {
			id: idAt(now, i),
			arm: "a",
			unit: `poisoned-${i}`,
			context: { v: 1 },
			...fields,
		});
	/** A good decision but for one field, which is written as given. */
	const decision = (place: number, raw: string) => (i: number, now: number) => {
		const list = JSON.parse(textOfDecision(row(i, now)));
		list[place] = "@";
		return JSON.stringify(list).replace(HOLE, () => raw);
	};
	/** A good event but for what is written as given. */
	const event =
		(fields: Partial<Record<keyof Event, string | number>>, raw = "") =>
		(i: number, now: number) => {
			const unit = `poisoned-${i}`;
			const good = { id: `p-${i}`, type: "play", at: now, unit, ...fields };
			return JSON.stringify(good).replace(HOLE, () => raw);
		};
	const large = (i: number, now: number, room: number) => {
		const text = event({ item: "@" }, '""')(i, now);
		return text.replace('""', `"${"x".repeat(room - text.length)}"`);
	};
	const year3000 = (i: number) => idAt(YEAR_3000, i);
	const badEvent = "bad event: ";
	const badDecision = "bad decision: ";
	const notJson = "not JSON: ";
	const play = eventSubject("play");
	const broken: Poison["make"] = (i) =>
		`{"id":"p-${i}","unit":"poisoned-${i}",`;
	const noUtf8: Poison["make"] = (i, now) => {
		const bytes = Buffer.from(event({ session: "?" })(i, now));
		bytes[bytes.lastIndexOf("?")] = 0xff;
		return bytes;
	};
	const nan = event({ value: "@" }, "NaN");
	const huge = event({ value: "@" }, "1e309");
	const nul = event({ unit: "@" }, '"poisoned\\u0000"');
	const proto = event({ item: "@" }, '"x","__proto__":{"unit":"y"}');
	const deep = event({ item: "@" }, nested);
	const future: Poison["make"] = (i, now) =>
		event({ decisionId: year3000(i) })(i, now);
	const inPack = (
		what: string,
		reason: string,
		make: Poison["make"],
	): Poison => ({ what, reason, in: "events", make });
	const inLog = (
		what: string,
		reason: string,
		make: Poison["make"],
	): Poison => ({ what, reason, in: "decisions", make });
	const alone = (
		what: string,
		reason: string,
		make: Poison["make"],
		subject = play,
	): Poison => ({ what, reason, in: "message", subject, make });
	return [
		inLog(
			"\\u0000 in a context",
			badDecision,
			decision(CONTEXT, '{"v":"\\u0000"}'),
		),
		inLog("1e309 in a context", badDecision, decision(CONTEXT, '{"v":1e309}')),
		inLog(
			"__proto__ in a context",
			badDecision,
			decision(CONTEXT, '{"__proto__":{"v":1}}'),
		),
		inLog(
			"a context 10,000 deep",
			badDecision,
			decision(CONTEXT, `{"v":${nested}}`),
		),
		inLog("\\u0000 in a unit", badDecision, decision(UNIT, '"\\u0000"')),
		inLog(
			"an unknown experiment",
			"wrong definition: ",
			decision(EXPERIMENT, '"nobody-knows"'),
		),
		inLog(
			"an unknown definition",
			"unknown definition: ",
			decision(DEFINITION, "999999"),
		),
		inLog("a propensity of NaN", badDecision, (i, now) =>
			textOfDecision(
				row(i, now, { propensities: Float64Array.of(Number.NaN, Number.NaN) }),
			),
		),
		inLog("a decision of the year 3000", "future: ", (i, now) =>
			textOfDecision(row(i, now, { id: year3000(i) })),
		),
		inPack("\\u0000 in an event", badEvent, nul),
		inPack("1e309 as a value", badEvent, huge),
		inPack("__proto__ in an event", badEvent, proto),
		inPack("an event 10,000 deep", badEvent, deep),
		inPack("an event of a decision of the year 3000", "future: ", future),
		inPack("an event of the year 3000", "future: ", event({ at: YEAR_3000 })),
		{ ...inPack("a large event in a pack", badEvent, large), large: true },
		alone("bad JSON", notJson, broken),
		alone("bad JSON as a pack of events", notJson, broken, EVENT_PACK_SUBJECT),
		alone("bad JSON as a pack of decisions", notJson, broken, LOG_SUBJECT),
		alone("bad UTF-8", "not UTF-8: ", noUtf8),
		alone(
			"bad UTF-8 as a pack of events",
			"not UTF-8: ",
			noUtf8,
			EVENT_PACK_SUBJECT,
		),
		alone(
			"bad UTF-8 as a pack of decisions",
			"not UTF-8: ",
			noUtf8,
			LOG_SUBJECT,
		),
		alone("NaN", notJson, nan),
		alone("\\u0000 alone", badEvent, nul),
		alone("1e309 alone", badEvent, huge),
		alone("__proto__ alone", badEvent, proto),
		alone("10,000 deep alone", badEvent, deep),
		alone("the year 3000 alone", "future: ", future),
		{ ...alone("a large event alone", badEvent, large), large: true },
	];
}
