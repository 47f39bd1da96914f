/** What is left of a message without the erased units' items: all of it, nothing, or a shorter message. */
export type Left = "all" | "nothing" | Uint8Array;

/** From so many characters on a unit is told from words by itself; a shorter one counts only where it stands as a `unit`. */
const TELLING_LENGTH = 8;
/** Beyond it, looking for each unit in the bytes costs more than reading the message. */
const FEW_UNITS = 8;
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

/** Whether some `unit` below is one of them, or any text is one that is long enough to be nothing else. */
function valueHolds(value: unknown, units: ReadonlySet<string>): boolean {
	const open: unknown[] = [value];
	while (open.length > 0) {
		const one = open.pop();
		if (typeof one === "string") {
			if (one.length >= TELLING_LENGTH && units.has(one)) return true;
		} else if (Array.isArray(one)) {
			for (const item of one) open.push(item);
		} else if (typeof one === "object" && one !== null) {
			for (const [key, item] of Object.entries(one)) {
				if (key === "unit" && units.has(String(item))) return true;
				open.push(item);
			}
		}
	}
	return false;
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
