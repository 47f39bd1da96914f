import type { Definition } from "#core/experiment";
import { EVENT_PACK_SUBJECT, eventSubject, LOG_SUBJECT } from "#core/log";
import type { Published } from "./broker.js";
import { aDecision, idAt } from "./builders.js";
import {
	JUST_UNDER_1_MIB,
	type Poison,
	publisher,
	textOfDecision,
} from "./poison.js";
import { shuffled } from "./random.js";

const PACK = 50;
/** Of the events of fifty decisions so many are messages of their own, as clients of the broker send them. */
const ALONE = 5;
/** Good events in a pack with a large one. */
const BESIDE_LARGE = 3;

/** What is wrong with an item of a message. */
export interface Planted {
	readonly message: number;
	readonly item: number;
	readonly poison: Poison;
	readonly text: string | Uint8Array;
}

/** Messages of decisions and their events, and what was planted among them. */
export interface WrittenStream {
	readonly messages: readonly Published[];
	readonly decisions: readonly string[];
	readonly events: readonly string[];
	readonly planted: readonly Planted[];
	/** Deliveries that learners must judge. */
	readonly items: number;
}

export interface Writing {
	readonly definition: Definition;
	/** Number of the first decision; numbers of decisions, events and packs go on from it. */
	readonly from: number;
	readonly pairs: number;
	/** Planted where chance chooses, each of the list as often as the others, in addition to the pairs. */
	readonly poison: readonly Poison[];
	/** Of all items. */
	readonly share: number;
	readonly now: number;
	readonly random: () => number;
}

/** A message being written: its items, and which of them are poison. */
class Draft {
	readonly poison = new Map<string | Uint8Array, Poison>();

	constructor(
		readonly subject: string,
		readonly texts: (string | Uint8Array)[],
	) {}

	plant(poison: Poison, text: string | Uint8Array, place: number): void {
		this.texts.splice(place, 0, text);
		this.poison.set(text, poison);
	}
}

/** `pairs` decisions with one event each, in packs of fifty, some events alone. */
export function writeStream(writing: Writing): WrittenStream {
	const { from, pairs, now, random } = writing;
	const count = Math.round(2 * pairs * writing.share);
	const chosen = shuffled(
		Array.from(
			{ length: count },
			(_, i) => writing.poison[i % writing.poison.length] as Poison,
		),
		random,
	).map((poison, i) => ({ poison, i: from + i }));
	const shares = (one: (typeof chosen)[number]) =>
		one.poison.large === true && one.poison.in === "events";
	const large = chosen.filter(shares);
	const withLarge = new Set(
		shuffled(numbers(0, Math.ceil(pairs / PACK)), random).slice(
			0,
			large.length,
		),
	);
	const drafts: Draft[] = [];
	for (let first = from; first < from + pairs; first += PACK) {
		const last = Math.min(first + PACK, from + pairs);
		const [log, said] = writePairs(writing, first, last);
		drafts.push(new Draft(LOG_SUBJECT, log));
		for (const text of said.splice(0, ALONE))
			drafts.push(new Draft(eventSubject("play"), [text]));
		const next = withLarge.has((first - from) / PACK) ? large.pop() : undefined;
		if (next) {
			const pack = new Draft(EVENT_PACK_SUBJECT, said.splice(0, BESIDE_LARGE));
			const room = JUST_UNDER_1_MIB - 1 - encode(pack, 999_999_999).length;
			pack.plant(next.poison, next.poison.make(next.i, now, room), 1);
			drafts.push(pack);
		}
		drafts.push(new Draft(EVENT_PACK_SUBJECT, said));
	}
	for (const { poison, i } of chosen.filter((one) => !shares(one))) {
		const text = poison.make(i, now, JUST_UNDER_1_MIB);
		const somewhere = (length: number) => Math.floor(random() * length);
		if (poison.in === "message") {
			const alone = new Draft(poison.subject as string, []);
			alone.plant(poison, text, 0);
			drafts.splice(somewhere(drafts.length + 1), 0, alone);
			continue;
		}
		const subject =
			poison.in === "decisions" ? LOG_SUBJECT : EVENT_PACK_SUBJECT;
		const packs = drafts.filter(
			(one) => one.subject === subject && one.texts.length > BESIDE_LARGE + 1,
		);
		const pack = packs[somewhere(packs.length)] as Draft;
		pack.plant(poison, text, somewhere(pack.texts.length + 1));
	}
	return {
		messages: drafts.map((one, i) => ({
			subject: one.subject,
			body: encode(one, from + i + 1),
		})),
		decisions: numbers(from, pairs).map((i) => idAt(now, i)),
		events: numbers(from, pairs).map((i) => `e-${i}`),
		planted: drafts.flatMap(({ texts, poison }, message) =>
			texts.flatMap((text, item) => {
				const known = poison.get(text);
				return known ? [{ message, item, poison: known, text }] : [];
			}),
		),
		items: 2 * pairs + count,
	};
}

const numbers = (from: number, count: number) =>
	Array.from({ length: count }, (_, i) => from + i);

/** Decisions and their events, as texts. */
function writePairs(
	{ definition, now }: Writing,
	first: number,
	last: number,
): [string[], string[]] {
	const log: string[] = [];
	const said: string[] = [];
	for (const i of numbers(first, last - first)) {
		const id = idAt(now, i);
		const unit = `unit-${i % 997}`;
		const arm = i % 2 === 0 ? "a" : "b";
		const context = { v: ((i * 37) % 64) / 4 - 8 };
		log.push(textOfDecision(aDecision(definition, { id, arm, unit, context })));
		const type = "play";
		said.push(
			JSON.stringify({ id: `e-${i}`, type, at: now, unit, decisionId: id }),
		);
	}
	return [log, said];
}

const bytes = new TextEncoder();

function encode(
	{ subject, texts, poison }: Draft,
	sequence: number,
): Uint8Array {
	const [only] = texts;
	const wholly =
		poison.get(only as string)?.in === "message" ||
		(subject !== LOG_SUBJECT && subject !== EVENT_PACK_SUBJECT);
	if (wholly)
		return typeof only === "string" ? bytes.encode(only) : (only as Uint8Array);
	const head = JSON.stringify(publisher(sequence)).slice(0, -1);
	const list = subject === LOG_SUBJECT ? "decisions" : "events";
	return bytes.encode(`${head},"${list}":[${texts.join(",")}]}`);
}
