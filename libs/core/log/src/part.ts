import type { Publisher } from "./decision-row.js";

const encoder = new TextEncoder();
const MARK = encoder.encode('{"part":true,');
const END = encoder.encode("]}");

/**
 * A pack, marked as holding items that were taken out of another under the same publisher: a message of the same subject, but no
 * proof that the other one arrived.
 */
export function asPart(pack: Uint8Array): Uint8Array {
	const part = new Uint8Array(pack.length + MARK.length - 1);
	part.set(MARK);
	part.set(pack.subarray(1), MARK.length);
	return part;
}

/** One item of a pack, as the bytes it had there, as a message of the pack's subject. */
export function encodePart(
	kind: "decisions" | "events",
	{ boot, sequence }: Publisher,
	raw: Uint8Array,
): Uint8Array {
	const head = JSON.stringify({ part: true, boot, sequence }).slice(0, -1);
	const before = encoder.encode(`${head},"${kind}":[`);
	const part = new Uint8Array(before.length + raw.length + END.length);
	part.set(before);
	part.set(raw, before.length);
	part.set(END, before.length + raw.length);
	return part;
}
