import { quantise } from "#core/linalg";
import type { Cells, Layout } from "./cells.js";
import type { ItemVectors } from "./item-vectors.js";
import type { KeyHash } from "./key-hash.js";
import type { LiveEvent } from "./live-event.js";
import type { Written } from "./retractable.js";
import type { Tally } from "./tallies.js";

/** Events whose items a key keeps. */
export const MOST_PLAYED = 64;

/**
 * The items that the latest 64 events named, and when: 16 bytes each. Of events at one instant those stay whose items' hashes are the
 * highest, so that what is kept does not depend on the order in which they were heard.
 */
export class PlayedItems implements Tally {
	readonly #hash: KeyHash;
	readonly #items: number;
	readonly #at: number;

	constructor(hash: KeyHash, layout: Layout) {
		this.#hash = hash;
		this.#items = layout.takeWords(2 * MOST_PLAYED);
		this.#at = layout.takeNumbers(MOST_PLAYED);
	}

	write(cells: Cells, { item }: LiveEvent, at: number): void {
		if (item === undefined) return;
		this.#hash.of(item);
		const { high, low } = this.#hash;
		let oldest = 0;
		for (let i = 1; i < MOST_PLAYED; i++)
			if (this.#isBefore(cells, i, oldest)) oldest = i;
		const first = cells.number + this.#at;
		const word = cells.word + this.#items + 2 * oldest;
		const known = cells.numbers[first + oldest] as number;
		if (at < known) return;
		if (at === known && !isHigher(high, low, cells.words, word)) return;
		cells.numbers[first + oldest] = at;
		cells.words[word] = high;
		cells.words[word + 1] = low;
	}

	takeBack(cells: Cells, { at, itemHigh, itemLow }: Written): void {
		const first = cells.number + this.#at;
		for (let i = 0; i < MOST_PLAYED; i++) {
			const word = cells.word + this.#items + 2 * i;
			if (cells.numbers[first + i] !== at) continue;
			if (cells.words[word] !== itemHigh || cells.words[word + 1] !== itemLow)
				continue;
			cells.numbers[first + i] = 0;
			return;
		}
	}

	/** The mean of the vectors of items named after that time, on the grid; null where none of them has one. */
	meanAfter(
		cells: Cells,
		after: number,
		vectors: ItemVectors,
	): number[] | null {
		const sum = new Float64Array(vectors.length);
		let count = 0;
		for (let i = 0; i < MOST_PLAYED; i++) {
			if ((cells.numbers[cells.number + this.#at + i] as number) <= after)
				continue;
			const word = cells.word + this.#items + 2 * i;
			const vector = vectors.find(
				cells.words[word] as number,
				cells.words[word + 1] as number,
			);
			if (vector === undefined) continue;
			count += 1;
			for (let j = 0; j < sum.length; j++)
				sum[j] = (sum[j] as number) + (vector[j] as number);
		}
		return count === 0 ? null : Array.from(sum, (one) => quantise(one / count));
	}

	#isBefore({ numbers, number, words, word }: Cells, i: number, j: number) {
		const one = numbers[number + this.#at + i] as number;
		const other = numbers[number + this.#at + j] as number;
		if (one !== other) return one < other;
		const at = word + this.#items;
		return isHigher(
			words[at + 2 * j] as number,
			words[at + 2 * j + 1] as number,
			words,
			at + 2 * i,
		);
	}
}

function isHigher(
	high: number,
	low: number,
	words: Uint32Array,
	than: number,
): boolean {
	const known = words[than] as number;
	return high === known ? low > (words[than + 1] as number) : high > known;
}
