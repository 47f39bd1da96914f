import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";

const SALTS_KEPT = 256;
const salts = new Map<string, Uint8Array>();

/**
 * A number in [0, 1) with 53 bits, derived from the experiment's salt, a label and an id: HMAC-SHA-256(salt, label ‖ 0 ‖ id).
 * The same on every machine; labels (`draw`, `share`, `control`) are independent of each other.
 */
export function uniformFrom(
	saltHex: string,
	label: string,
	id: string,
): number {
	const digest = hmac(
		sha256,
		saltBytes(saltHex),
		utf8ToBytes(`${label}\u0000${id}`),
	);
	const view = new DataView(digest.buffer, digest.byteOffset, 8);
	return (view.getUint32(0) * 2 ** 21 + (view.getUint32(4) >>> 11)) / 2 ** 53;
}

function saltBytes(saltHex: string): Uint8Array {
	const known = salts.get(saltHex);
	if (known) return known;
	if (salts.size >= SALTS_KEPT) salts.clear();
	const bytes = hexToBytes(saltHex);
	salts.set(saltHex, bytes);
	return bytes;
}
