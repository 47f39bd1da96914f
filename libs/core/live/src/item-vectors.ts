import { toGrid } from "#core/linalg";
import type { SipKey } from "#core/policy";
import { KeyHash } from "./key-hash.js";

/** Numbers of all vectors together: 128 MiB. */
export const MOST_VECTOR_NUMBERS = 2 ** 24;

/**
 * A catalogue's vectors, all of one length, by the hash that windows have of an item. Clipped and rounded as coordinates are, so that
 * sums of them are exact in any order.
 */
export class ItemVectors {
	readonly length: number;
	readonly #hash: KeyHash;
	readonly #vectors = new Map<number, Float64Array>();

	constructor(hashKey: SipKey, length: number) {
		this.#hash = new KeyHash(hashKey);
		this.length = length;
	}

	get size(): number {
		return this.#vectors.size;
	}

	/** Throws RangeError where the vector has another length, or the catalogue too many numbers. */
	set(item: string, vector: readonly number[]): void {
		if (vector.length !== this.length)
			throw new RangeError(
				`The vector has ${vector.length} numbers, and those before it ${this.length}.`,
			);
		if ((this.size + 1) * this.length > MOST_VECTOR_NUMBERS)
			throw new RangeError(
				`A catalogue holds at most ${MOST_VECTOR_NUMBERS} numbers.`,
			);
		this.#hash.of(item);
		const id = idOf(this.#hash.high, this.#hash.low);
		this.#vectors.set(id, Float64Array.from(vector, toGrid));
	}

	find(high: number, low: number): Float64Array | undefined {
		return this.#vectors.get(idOf(high, low));
	}
}

/** 53 bits: two items of a million meet with a chance of 6·10⁻⁵. */
function idOf(high: number, low: number): number {
	return (high & 0x1f_ffff) * 2 ** 32 + low;
}
