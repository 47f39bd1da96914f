/**
 * Whole numbers below 2⁵² as a text, so that of a unit's row only those lists are made that a decision touches: base 32, the least digit
 * first, each but a number's last raised by 32; the sign is the lowest bit. Zeros at the end are left out, so that equal lists are equal texts.
 */
export type Packed = string;

export const NOTHING_PACKED: Packed = "";

const DIGITS =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE = 32;
const VALUES = new Uint8Array(128);
for (let value = 0; value < DIGITS.length; value++)
	VALUES[DIGITS.charCodeAt(value)] = value;
/** The texts of the smallest numbers, which most are. */
const SMALL = Array.from({ length: BASE * BASE }, (_, rest) => digitsOf(rest));

export function pack(values: readonly number[]): Packed {
	let length = values.length;
	while (length > 0 && values[length - 1] === 0) length -= 1;
	let text = "";
	for (let i = 0; i < length; i++) {
		const value = values[i] as number;
		const rest = value < 0 ? 1 - 2 * value : 2 * value;
		text += SMALL[rest] ?? digitsOf(rest);
	}
	return text;
}

function digitsOf(value: number): string {
	let text = "";
	let rest = value;
	while (rest >= BASE) {
		const digit = rest % BASE;
		text += DIGITS[BASE + digit];
		rest = (rest - digit) / BASE;
	}
	return text + DIGITS[rest];
}

/** @param least as many numbers at least, with zeros at the end */
export function unpack(packed: Packed, least = 0): number[] {
	let count = 0;
	for (let i = 0; i < packed.length; i++)
		if ((VALUES[packed.charCodeAt(i)] as number) < BASE) count += 1;
	// An array that grows would be made several times over.
	const values = new Array<number>(Math.max(least, count)).fill(0);
	let place = 0;
	let value = 0;
	let scale = 1;
	for (let i = 0; i < packed.length; i++) {
		const digit = VALUES[packed.charCodeAt(i)] as number;
		if (digit >= BASE) {
			value += (digit - BASE) * scale;
			scale *= BASE;
			continue;
		}
		value += digit * scale;
		values[place++] = value % 2 === 0 ? value / 2 : (1 - value) / 2;
		value = 0;
		scale = 1;
	}
	return values;
}
