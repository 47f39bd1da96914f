import { unitPlace } from "#core/log";

/** What is left of a message without the erased units' items: all of it, nothing, or a shorter message. */
export type Left = "all" | "nothing" | Uint8Array;

/** From so many characters on a unit is told from words by itself; a shorter one counts only where it stands as a `unit`. */
const TELLING_LENGTH = 8;
/** No unit's name is longer. */
const MOST_LENGTH = 256;
/** Beyond it, looking for each unit in the bytes costs more than reading the message. */
const FEW_UNITS = 8;
/** Of what a dead letter may be about. */
const MOST_NAMED = 500;
const LISTS = ["decisions", "events"] as const;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Takes what the units said or were shown out of one message, spooled entry or dead letter. A pack keeps its other items, byte for
 * byte in meaning; a message that cannot be read is kept or goes as a whole.
 */
export function takeOut(body: Uint8Array, units: ReadonlySet<string>): Left {
	if (units.size <= FEW_UNITS && !mayHold(body, units)) return "all";
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
	const kept = items.filter((item) => !valueHolds(item, units));
	if (kept.length === items.length) return "all";
	if (kept.length === 0) return "nothing";
	return encoder.encode(JSON.stringify({ ...pack, [name]: kept }));
}

/** The ways in which JSON may write the unit, as bytes. What never matches needs not be read. */
export function spellings(unit: string): Uint8Array[] {
	const json = JSON.stringify(unit).slice(1, -1);
	const escaped = (digits: (code: number) => string) =>
		json.replace(
			/[\u007f-\uffff]/g,
			(letter) => `\\u${digits(letter.charCodeAt(0))}`,
		);
	const hex = (code: number) => code.toString(16).padStart(4, "0");
	const all = new Set([
		unit,
		json,
		json.replaceAll("/", "\\/"),
		escaped(hex),
		escaped((code) => hex(code).toUpperCase()),
	]);
	return [...all].map((text) => encoder.encode(text));
}

function mayHold(body: Uint8Array, units: ReadonlySet<string>): boolean {
	const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
	for (const unit of units)
		if (
			spellings(unit).some((spelling) => bytes.includes(Buffer.from(spelling)))
		)
			return true;
	return false;
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
		if (name !== null && name.length <= MOST_LENGTH) named.add(name);
	});
	return bounded(named);
}

/** Of text that is no JSON, what stands as a `unit`, is quoted, or is a long word. */
function unitsInText(text: string): readonly string[] | null {
	const found = [
		...[...text.matchAll(/"unit"\s*:\s*("(?:[^"\\]|\\.){1,1600}")/gsu)].map(
			([, quoted]) => quoted as string,
		),
		...(text.match(/"(?:[^"\\]|\\.){1,1600}"/gsu) ?? []),
	].flatMap(unquoted);
	const words = text.match(/[\p{L}\p{N}._:@-]{8,256}/gu) ?? [];
	const parts = words.flatMap(partsOf);
	return bounded(new Set([...found, ...words, ...parts]));
}

/** A word without the signs around it, and what stands between colons: a name may have such signs, or be followed by them. */
function partsOf(word: string): string[] {
	return [word, ...word.split(":")]
		.map((part) => part.replace(/^[._:@-]+|[._:@-]+$/g, ""))
		.filter((part) => part.length >= TELLING_LENGTH);
}

const bounded = (names: ReadonlySet<string>): readonly string[] | null =>
	names.size > MOST_NAMED ? null : [...names];

function unquoted(text: string): string[] {
	try {
		return [JSON.parse(text) as string];
	} catch {
		return [];
	}
}

/** Whether some `unit` below is one of them, or any text is one that is long enough to be nothing else. */
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

/** Each value below, with the key it stands under (rows of a pack are lists without keys); without recursion, since a dead letter may be nested 10,000 deep. */
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
			for (const [key, item] of Object.entries(one.value))
				open.push({ value: item, key });
	}
}

function textHolds(text: string, units: ReadonlySet<string>): boolean {
	for (const unit of units) {
		if (unit.length >= TELLING_LENGTH) {
			if (spellings(unit).some((bytes) => text.includes(decoder.decode(bytes))))
				return true;
		} else if (new RegExp(`"unit"\\s*:\\s*"?${literal(unit)}\\b`).test(text))
			return true;
	}
	return false;
}

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
