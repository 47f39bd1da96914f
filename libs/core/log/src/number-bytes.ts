import { GRID } from "#core/linalg";

/** Numbers as little-endian bytes in base64, as rows had them that were written by names. */

const ALPHABET =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const SIX_BITS = new Uint8Array(128);
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
	if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
		return null;
	const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
	const bytes = new Uint8Array((text.length / 4) * 3);
	for (let i = 0; i < text.length; i += 4) {
		let bits = 0;
		// "=" reads as 0 bits.
		for (let j = 0; j < 4; j++)
			bits = (bits << 6) | (SIX_BITS[text.charCodeAt(i + j)] as number);
		const place = (i / 4) * 3;
		bytes[place] = bits >> 16;
		bytes[place + 1] = bits >> 8;
		bytes[place + 2] = bits;
	}
	return bytes.subarray(0, bytes.length - padding);
}
