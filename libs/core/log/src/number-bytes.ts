import { GRID } from "#core/linalg";

/** Numbers as little-endian bytes in base64, as rows had them that were written by names. */

const ALPHABET =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const NO_DIGIT = 255;
const SIX_BITS = new Uint8Array(128).fill(NO_DIGIT);
for (let i = 0; i < ALPHABET.length; i++) SIX_BITS[ALPHABET.charCodeAt(i)] = i;

/** Null where the text is not base64 of whole int32. */
export function gridFromBase64(text: string): Float64Array | null {
	const view = fromBase64(text);
	if (view === null || view.byteLength % 4 !== 0) return null;
	const values = new Float64Array(view.byteLength / 4);
	for (let i = 0; i < values.length; i++)
		values[i] = view.getInt32(i * 4, true) * GRID;
	return values;
}

/** Null where the text is not base64 of whole float64. */
export function doublesFromBase64(text: string): Float64Array | null {
	const view = fromBase64(text);
	if (view === null || view.byteLength % 8 !== 0) return null;
	const values = new Float64Array(view.byteLength / 8);
	for (let i = 0; i < values.length; i++)
		values[i] = view.getFloat64(i * 8, true);
	return values;
}

function fromBase64(text: string): DataView | null {
	const bytes = bytesFromBase64(text);
	return bytes === null
		? null
		: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Null where the text is no base64. */
export function bytesFromBase64(text: string): Uint8Array | null {
	const bytes = new Uint8Array(Math.ceil((text.length * 3) / 4));
	const length = readBase64(text, bytes);
	return length === null ? null : bytes.subarray(0, length);
}

/** Writes the bytes of the text into `bytes`, which has room for three quarters of its length, and gives their number; null where it is no base64. */
export function readBase64(text: string, bytes: Uint8Array): number | null {
	if (text.length % 4 !== 0) return null;
	const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
	const digits = text.length - padding;
	// Every digit's own bits: a wrong one sets bits above the lowest six.
	let seen = 0;
	let bits = 0;
	let place = 0;
	for (let i = 0; i < digits; i++) {
		const six = SIX_BITS[text.charCodeAt(i)] ?? NO_DIGIT;
		seen |= six;
		bits = (bits << 6) | six;
		switch (i & 3) {
			case 1:
				bytes[place++] = bits >> 4;
				break;
			case 2:
				bytes[place++] = bits >> 2;
				break;
			case 3:
				bytes[place++] = bits;
		}
	}
	return seen < 64 ? place : null;
}
