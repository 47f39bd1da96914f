import { JSON_TYPES, MOST_BODY_BYTES } from "./straight-route.js";

/** What is to be known of a request from its head. */
export interface StraightHead {
	/** Where the body begins. */
	readonly bodyAt: number;
	/** Bytes of the body. */
	readonly length: number;
	readonly traceparent: string | undefined;
	/** All of it, ASCII, up to the blank line. */
	readonly text: string;
}

const BLANK_LINE = Buffer.from("\r\n\r\n");
/** Longer heads are left to Node, which knows how to refuse them. */
const MOST_HEAD_BYTES = 8_192;
/** Header lines in ASCII without folds, each ending as HTTP/1.1 says: with anything else in it, a head is not plain. */
const PLAIN_LINES = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~]*\r\n)+$/;
const LENGTH = /^[1-9][0-9]{0,4}$/;
/** Headers that say that the body is not simply what follows, or that the connection is for something else. */
const UNUSUAL = new Set([
	"content-encoding",
	"expect",
	"proxy-connection",
	"trailer",
	"transfer-encoding",
	"upgrade",
]);

/** Headers that are read; a plain head has none of them twice. */
type Read = "content-length" | "content-type" | "host" | "traceparent";
const READ = new Set<string>([
	"content-length",
	"content-type",
	"host",
	"traceparent",
] satisfies Read[]);
const isRead = (name: string): name is Read => READ.has(name);

/**
 * The head, at the beginning of the bytes, of a POST of the path that is plain in every respect: any reader of HTTP/1.1 finds the same
 * body after it. Null for all others, of which nothing is judged here.
 */
export function readStraightHead(
	bytes: Buffer,
	path: string,
): StraightHead | null {
	const end = bytes.indexOf(BLANK_LINE);
	if (end < 0 || end > MOST_HEAD_BYTES) return null;
	const text = bytes.toString("latin1", 0, end + 2);
	const requestLine = `POST ${path} HTTP/1.1\r\n`;
	if (!text.startsWith(requestLine)) return null;
	const known = heads.get(text);
	if (known !== undefined) return known;
	const head = readLines(text, requestLine.length);
	if (head !== null && head.traceparent === undefined) remember(text, head);
	return head;
}

/**
 * Heads that were read, by their text. A client's are the same but for the length, and to read one takes 3 µs, more than the draw. Those
 * that name a trace differ each time.
 */
const heads = new Map<string, StraightHead>();
const MOST_HEADS = 1_000;
const LONGEST_REMEMBERED = 1_024;

function remember(text: string, head: StraightHead): void {
	if (text.length > LONGEST_REMEMBERED) return;
	if (heads.size >= MOST_HEADS) heads.clear();
	heads.set(text, head);
}

function readLines(text: string, from: number): StraightHead | null {
	const headers = plainHeaders(text.slice(from));
	if (headers?.host === undefined) return null;
	const { "content-type": type = "", "content-length": digits = "" } = headers;
	const length = Number(digits);
	if (!JSON_TYPES.has(type) || !LENGTH.test(digits) || length > MOST_BODY_BYTES)
		return null;
	const bodyAt = text.length + 2;
	return { bodyAt, length, traceparent: headers.traceparent, text };
}

/** The headers that are read; null where the lines are not plain. */
function plainHeaders(lines: string): Partial<Record<Read, string>> | null {
	if (!PLAIN_LINES.test(lines)) return null;
	const headers: Partial<Record<Read, string>> = {};
	let stop: number;
	for (let at = 0; at < lines.length; at = stop + 2) {
		const colon = lines.indexOf(":", at);
		stop = lines.indexOf("\r\n", colon);
		const name = lines.slice(at, colon).toLowerCase();
		const value = lines.slice(colon + 1, stop).trim();
		if (UNUSUAL.has(name)) return null;
		if (name === "connection" && value.toLowerCase() !== "keep-alive")
			return null;
		if (!isRead(name)) continue;
		if (headers[name] !== undefined) return null;
		headers[name] = value;
	}
	return headers;
}

/** A header of a head, by its name in lower case; undefined where it is not there, or there twice. Only few experiments ask. */
export function headerIn(
	{ text }: StraightHead,
	name: string,
): string | undefined {
	const lower = text.toLowerCase();
	const start = `\r\n${name}:`;
	const at = lower.indexOf(start);
	if (at < 0 || lower.indexOf(start, at + 1) >= 0) return undefined;
	const from = at + start.length;
	return text.slice(from, text.indexOf("\r\n", from)).trim();
}
