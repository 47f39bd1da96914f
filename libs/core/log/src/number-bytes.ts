import { GRID } from "#core/linalg";

/** Numbers as little-endian bytes in base64: exact, and half to a third of their decimal text. */

const ALPHABET =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const SIX_BITS = new Uint8Array(128);
for (let i = 0; i < ALPHABET.length; i++) SIX_BITS[ALPHABET.charCodeAt(i)] = i;
const MOST_INT32 = 2 ** 31 - 1;

/** Values on the 2⁻¹² grid as int32 counts of grid units; beyond ±524,288 (no mean of rewards within ±8 is) they saturate. */
export function gridToBase64(values: Float64Array): string {
	const view = new DataView(new ArrayBuffer(values.length * 4));
	values.forEach((value, index) => {
		const units = Math.round(value / GRID);
		view.setInt32(
			index * 4,
			Math.max(-MOST_INT32, Math.min(MOST_INT32, units)),
			true,
		);
	});
	return toBase64(view);
}

export function doublesToBase64(values: Float64Array): string {
	const view = new DataView(new ArrayBuffer(values.length * 8));
	values.forEach((value, index) => {
		view.setFloat64(index * 8, value, true);
	});
	return toBase64(view);
}

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

/** At most 1,000 arms × 8 bytes at a time, so they fit the arguments of one call. */
function toBase64(view: DataView): string {
	return btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
}

function fromBase64(text: string): DataView | null {
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
	return new DataView(bytes.buffer, 0, bytes.length - padding);
}
