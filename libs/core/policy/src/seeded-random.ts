import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { type SipKey, sipHash24 } from "./siphash.js";

/**
 * A number in [0, 1) with 53 bits, derived from the experiment's salt, a label and an id: SipHash-2-4 of the id under the first
 * 128 bits of HMAC-SHA-256(salt, label). The same on every machine; labels (`draw`, `share`, `control`) are independent of each other.
 */
export function uniformFrom(
	saltHex: string,
	label: string,
	id: string,
): number {
	const key = keyOf(saltHex, label);
	sipHash24(key, message, encode(id), value);
	return (
		((value[1] as number) * 2 ** 21 + ((value[0] as number) >>> 11)) / 2 ** 53
	);
}

const value = new Uint32Array(2);
let message = new Uint8Array(256);

/** The id as UTF-8 in `message`, with room behind it; its length. Ids are nearly always ASCII, where TextEncoder would cost more than the hash. */
function encode(id: string): number {
	if (message.length < id.length + 8)
		message = new Uint8Array(2 * id.length + 8);
	for (let i = 0; i < id.length; i++) {
		const code = id.charCodeAt(i);
		if (code >= 0x80) return encodeWide(id);
		message[i] = code;
	}
	return id.length;
}

function encodeWide(id: string): number {
	const bytes = utf8ToBytes(id);
	if (message.length < bytes.length + 8)
		message = new Uint8Array(2 * bytes.length + 8);
	message.set(bytes);
	return bytes.length;
}

/** Keys by label and salt: deriving one takes 50 times as long as using it. */
const keys = new Map<string, Map<string, SipKey>>();
const MOST_SALTS = 10_000;

function keyOf(saltHex: string, label: string): SipKey {
	let ofLabel = keys.get(label);
	if (ofLabel === undefined) {
		ofLabel = new Map();
		keys.set(label, ofLabel);
	}
	const known = ofLabel.get(saltHex);
	if (known !== undefined) return known;
	const digest = hmac(sha256, hexToBytes(saltHex), utf8ToBytes(label));
	const view = new DataView(digest.buffer, digest.byteOffset, 16);
	const key = Int32Array.from([0, 4, 8, 12], (at) => view.getInt32(at, true));
	if (ofLabel.size >= MOST_SALTS) ofLabel.clear();
	ofLabel.set(saltHex, key);
	return key;
}
