import { PRINTABLE } from "#core/experiment";
import { EVENT_KEYS, ROW_KEYS, unitPlace } from "#core/log";

/** What is left of a message without the erased units' items: all of it, nothing, or a shorter message. */
export type Left = "all" | "nothing" | Uint8Array;

/** From so many characters on a unit is told from words by itself; a shorter one counts only where it stands as a `unit`. */
const TELLING_LENGTH = 8;
/** Beyond it, looking for each unit in the bytes costs more than reading the message. */
const FEW_UNITS = 8;
/** Of what a dead letter may be about: as many different words as 200 kB of text have. */
const MOST_NAMED = 20_000;
const LISTS = ["decisions", "events"] as const;
/** Keys that name nobody: else whoever erased a unit of such a name would take everybody's items along. */
const OWN_KEYS: ReadonlySet<string> = new Set([
	...EVENT_KEYS,
	...ROW_KEYS,
	...LISTS,
	...["boot", "sequence", "part"],
]);
/** 256 signs, each of them written as two escapes, between quotes. */
const MOST_QUOTED = 256 * 12 + 2;
/** They may stand around a name in text. */
const SIGNS = "._:@-";
/** By one of them JSON may write any name otherwise than as it is. */
const ESCAPES = ["\\u", "\\/"];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Takes what the units said or were shown out of one message, spooled entry or dead letter. A pack keeps its other items, byte for
 * byte in meaning; one that names them outside its items, and a message that cannot be read, is kept or goes as a whole.
 */
export function takeOut(body: Uint8Array, units: ReadonlySet<string>): Left {
	return units.size <= FEW_UNITS && !mayHold(body, units)
		? "all"
		: takeOutNamed(body, units);
}

/** The same of what is known to name them: it is read in any case. */
export function takeOutNamed(
	body: Uint8Array,
	units: ReadonlySet<string>,
): Left {
	const text = decoder.decode(body);
	let parsed: unknown;
	try {
		parsed = JSON.parse(text);
	} catch {
		return textHolds(text, units) ? "nothing" : "all";
	}
	const list = packedList(parsed);
	if (list === null) return valueHolds(parsed, units) ? "nothing" : "all";
	const { pack, name, items } = list;
	if (valueHolds({ ...pack, [name]: [] }, units)) return "nothing";
	const kept = items.filter((item) => !valueHolds(item, units));
	if (kept.length === items.length) return "all";
	if (kept.length === 0) return "nothing";
	return encoder.encode(JSON.stringify({ ...pack, [name]: kept }));
}

/** What has none of these bytes names none of the units and needs not be read: no name as it is, and no escape. */
export function tracesOf(units: Iterable<string>): Uint8Array[] {
	const names = [...units].flatMap((unit) => [
		unit,
		JSON.stringify(unit).slice(1, -1),
	]);
	return [...new Set([...names, ...ESCAPES])].map((text) =>
		encoder.encode(text),
	);
}

function mayHold(body: Uint8Array, units: ReadonlySet<string>): boolean {
	const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
	return tracesOf(units).some((trace) => bytes.includes(Buffer.from(trace)));
}

function packedList(parsed: unknown): {
	readonly pack: object;
	readonly name: string;
	readonly items: readonly unknown[];
} | null {
	if (typeof parsed !== "object" || parsed === null) return null;
	for (const name of LISTS) {
		const items = (parsed as { readonly [key: string]: unknown })[name];
		if (Array.isArray(items)) return { pack: parsed, name, items };
	}
	return null;
}

/** The units that what could not be understood may be about; null where it names more than may be looked up. */
export function namedUnits(body: Uint8Array): readonly string[] | null {
	const text = decoder.decode(body);
	let parsed: unknown;
	try {
		parsed = JSON.parse(text);
	} catch {
		return unitsInText(text);
	}
	const named = new Set<string>();
	walk(parsed, (value, key) => {
		const name = nameOf(value, key);
		if (name !== null && PRINTABLE.test(name)) named.add(name);
	});
	return bounded(named);
}

/** Of text that is no JSON, what stands as a `unit` or between quotes, or is a long word. */
function unitsInText(text: string): readonly string[] | null {
	const found = readingsOf(text).flatMap((one) => [
		...quotedIn(one),
		...[...one.matchAll(/"unit"\s*:\s*"?([^\s"\\,:;{}[\]]{1,256})/gu)].map(
			([, name]) => name as string,
		),
		...[
			...new Set([
				...(one.match(/[\p{L}\p{N}._:@-]{8,256}/gu) ?? []),
				...(one.match(/[^\s"'`\\,;=(){}[\]<>]{8,256}/gu) ?? []),
			]),
		].flatMap(partsOf),
	]);
	return bounded(new Set(found.filter((name) => PRINTABLE.test(name))));
}

/** What stands between a quote and the next: which of them begins a text cannot be told where one is missing. */
function quotedIn(text: string): string[] {
	const found: string[] = [];
	let opened: number | null = null;
	for (const { 0: sign, index } of text.matchAll(/\\.|"/gs)) {
		if (sign !== '"') continue;
		if (opened !== null && index - opened <= MOST_QUOTED)
			found.push(...unquoted(text.slice(opened, index + 1)));
		opened = index;
	}
	return found;
}

/** As it stands, and with what escapes stand for, wherever it has any. */
function readingsOf(text: string): readonly string[] {
	if (!text.includes("\\")) return [text];
	const read = text.replace(
		/\\(?:u([0-9a-fA-F]{4})|(.))/gs,
		(_, hex?: string, sign?: string) =>
			hex === undefined
				? (WHITE[sign as string] ?? (sign as string))
				: String.fromCharCode(Number.parseInt(hex, 16)),
	);
	return [text, read];
}

/** Escapes that stand for no sign of a name. */
const WHITE: { readonly [sign: string]: string } = {
	...{ b: " ", f: " ", n: " ", r: " ", t: " " },
};

/** What stands between colons, and either without the signs around it: a name may have such signs, or be followed by them. */
function partsOf(word: string): string[] {
	return [word, ...word.split(":")]
		.filter((part) => part.length >= TELLING_LENGTH)
		.flatMap((part) => [part, withoutSigns(part)])
		.filter((part) => part.length >= TELLING_LENGTH);
}

function withoutSigns(word: string): string {
	let end = word.length;
	while (end > 0 && SIGNS.includes(word[end - 1] as string)) end--;
	let start = 0;
	while (start < end && SIGNS.includes(word[start] as string)) start++;
	return word.slice(start, end);
}

const bounded = (names: ReadonlySet<string>): readonly string[] | null =>
	names.size > MOST_NAMED ? null : [...names];

function unquoted(text: string): string[] {
	if (!text.includes("\\")) return [text.slice(1, -1)];
	try {
		return [JSON.parse(text) as string];
	} catch {
		return [];
	}
}

/** Whether some `unit` below is one of them, or any text or key is one that is long enough to be nothing else. */
function valueHolds(value: unknown, units: ReadonlySet<string>): boolean {
	let holds = false;
	walk(value, (one, key) => {
		const name = nameOf(one, key);
		holds ||= name !== null && units.has(name);
	});
	return holds;
}

/** The unit that a value may be. What is no text or number is none, and may be nested too deeply to be written out. */
function nameOf(value: unknown, key: string | null): string | null {
	if (key === "unit" && typeof value === "number") return String(value);
	const isName =
		typeof value === "string" &&
		(key === "unit" || value.length >= TELLING_LENGTH);
	return isName ? value : null;
}

/** Each value below, with the key it stands under (rows of a pack are lists without keys), and each key that is not our own; without recursion, since a dead letter may be nested 10,000 deep. */
function walk(
	value: unknown,
	look: (value: unknown, key: string | null) => void,
): void {
	const open: { value: unknown; key: string | null }[] = [{ value, key: null }];
	for (let one = open.pop(); one !== undefined; one = open.pop()) {
		look(one.value, one.key);
		if (Array.isArray(one.value)) {
			const unit = unitPlace(one.value);
			one.value.forEach((item, place) => {
				open.push({ value: item, key: place === unit ? "unit" : null });
			});
		} else if (typeof one.value === "object" && one.value !== null)
			for (const [key, item] of Object.entries(one.value)) {
				if (!OWN_KEYS.has(key)) look(key, null);
				open.push({ value: item, key });
			}
	}
}

function textHolds(text: string, units: ReadonlySet<string>): boolean {
	const readings = readingsOf(text);
	for (const unit of units) {
		const standing =
			unit.length >= TELLING_LENGTH
				? null
				: new RegExp(
						`"unit"\\s*:\\s*"?${literal(unit)}(?![\\p{L}\\p{N}_])`,
						"u",
					);
		if (readings.some((one) => standing?.test(one) ?? one.includes(unit)))
			return true;
	}
	return false;
}

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
