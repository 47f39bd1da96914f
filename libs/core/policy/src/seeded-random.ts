import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";

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
		hexToBytes(saltHex),
		utf8ToBytes(`${label}\u0000${id}`),
	);
	const view = new DataView(digest.buffer, digest.byteOffset, 8);
	return (view.getUint32(0) * 2 ** 21 + (view.getUint32(4) >>> 11)) / 2 ** 53;
}
