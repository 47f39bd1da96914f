import { type SipKey, sipHash24 } from "#core/policy";

/** Between the parts of a key, and before a character beyond ASCII: bytes that no ASCII character is. */
const BETWEEN = 0x80;
const WIDE = 0x81;

/**
 * 64 bits that stand for a key of one or more parts: SipHash-2-4 under the windows' own key, so that nobody outside can make two keys
 * meet, and what is kept names nobody. Two keys meet with a chance of 2⁻⁶⁴ a pair: 3·10⁻⁸ among all pairs of a million.
 */
export class KeyHash {
	/** The halves of the last hash. */
	high = 0;
	low = 0;
	readonly #key: SipKey;
	readonly #out = new Uint32Array(2);
	#bytes = new Uint8Array(1024);
	#length = 0;

	constructor(key: SipKey) {
		this.#key = key;
	}

	of(first: string, second?: string, third?: string): void {
		this.#length = 0;
		this.#write(first);
		if (second !== undefined) this.#write(second);
		if (third !== undefined) this.#write(third);
		sipHash24(this.#key, this.#bytes, this.#length, this.#out);
		this.low = this.#out[0] as number;
		this.high = this.#out[1] as number;
	}

	#write(part: string): void {
		const most = this.#length + 3 * part.length + 1;
		if (this.#bytes.length < most + 8) this.#grow(2 * most + 8);
		const bytes = this.#bytes;
		let length = this.#length;
		for (let i = 0; i < part.length; i++) {
			const code = part.charCodeAt(i);
			if (code < BETWEEN) bytes[length++] = code;
			else {
				bytes[length++] = WIDE;
				bytes[length++] = code >>> 8;
				bytes[length++] = code & 0xff;
			}
		}
		bytes[length++] = BETWEEN;
		this.#length = length;
	}

	#grow(size: number): void {
		const longer = new Uint8Array(size);
		longer.set(this.#bytes);
		this.#bytes = longer;
	}
}
