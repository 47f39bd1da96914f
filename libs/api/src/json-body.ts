import { isAscii } from "node:buffer";
import { joinPath, MOST_DEPTH } from "#core/experiment";
import { fail, type SegueError } from "#usecases/errors";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The value of one JSON document. Throws not-json (400) for what is no UTF-8, no JSON, nested deeper than 32 levels, or poisoned by a
 * key that changes prototypes. Numbers beyond float64 (1e309) become infinite here and are refused where they are used, with their path.
 */
export function parseJsonBody(bytes: Uint8Array): unknown {
	const text = decode(bytes);
	// Few brackets cannot nest deep; finding them is quick where walking over all bytes is not.
	if (text === null || hasManyBrackets(text)) refuseDepth(bytes);
	if (text === null)
		throw notJson(
			"The body is not UTF-8, so it is not JSON. Encode it in UTF-8.",
		);
	const value = parse(text);
	// Escapes can hide the names, so their presence is enough to look.
	if (
		text.includes("__proto__") ||
		text.includes("constructor") ||
		text.includes("\\u")
	)
		refusePoison(value, "");
	return value;
}

function hasManyBrackets(text: string): boolean {
	return (
		hasMoreThan(MOST_DEPTH / 2, "{", text) ||
		hasMoreThan(MOST_DEPTH / 2, "[", text)
	);
}

function hasMoreThan(most: number, bracket: string, text: string): boolean {
	let at = text.indexOf(bracket);
	for (let found = 0; at >= 0; found++) {
		if (found === most) return true;
		at = text.indexOf(bracket, at + 1);
	}
	return false;
}

function refuseDepth(bytes: Uint8Array): void {
	if (depthOf(bytes) > MOST_DEPTH)
		throw notJson(
			`The body is nested deeper than ${MOST_DEPTH} levels. Flatten it.`,
		);
}

/** How deep arrays and objects are nested, without building them: counts brackets outside of strings, up to one more than is allowed. */
function depthOf(bytes: Uint8Array): number {
	let depth = 0;
	let deepest = 0;
	let quoted = false;
	for (let i = 0; i < bytes.length; i++) {
		const byte = bytes[i]!;
		if (quoted) {
			if (byte === BACKSLASH) i++;
			else if (byte === QUOTE) quoted = false;
		} else if (byte === QUOTE) quoted = true;
		else if (OPENING.has(byte)) {
			if (++depth > deepest) deepest = depth;
			if (deepest > MOST_DEPTH) return deepest;
		} else if (CLOSING.has(byte)) depth--;
	}
	return deepest;
}

/** Null for what is no UTF-8. ASCII is what most bodies are and takes a third of the time. */
function decode(bytes: Uint8Array): string | null {
	const buffer = Buffer.isBuffer(bytes)
		? bytes
		: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	if (isAscii(buffer)) return buffer.toString("latin1");
	try {
		return utf8.decode(bytes);
	} catch {
		return null;
	}
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch (error) {
		if (text.trim() === "")
			throw notJson("The body is empty where a JSON document is needed.");
		throw notJson(
			`The body is not JSON: ${error instanceof Error ? error.message : String(error)}.`,
		);
	}
}

/** Depth is bounded by now, so recursion is. */
function refusePoison(value: unknown, path: string): void {
	if (typeof value !== "object" || value === null) return;
	if (Array.isArray(value)) {
		for (const [index, item] of value.entries())
			refusePoison(item, joinPath(path, index));
		return;
	}
	for (const [key, item] of Object.entries(value)) {
		const at = joinPath(path, key);
		const poisons =
			key === "__proto__" ||
			(key === "constructor" &&
				typeof item === "object" &&
				item !== null &&
				Object.hasOwn(item, "prototype"));
		if (poisons)
			throw notJson(
				`The key ${at.slice(0, 200)} is not allowed, since it could change prototypes. Rename it.`,
				at.slice(0, 200),
			);
		refusePoison(item, at);
	}
}

function notJson(detail: string, path = ""): SegueError {
	return fail("not-json", detail, [{ path, message: detail }]);
}
