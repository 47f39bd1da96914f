import type { LiveField } from "#core/experiment";
import type { Cells, Layout } from "./cells.js";
import type { Frame } from "./frame.js";
import type { KeyHash } from "./key-hash.js";
import type { LiveEvent } from "./live-event.js";

/** Part of what is kept of a key: writes an event that happened `at`, to be read by an aggregate. */
export interface Tally {
	write(cells: Cells, event: LiveEvent, at: number): void;
}

/** How many events there were, or how many with a number in `of`. */
export class Counts implements Tally {
	readonly #frame: Frame;
	readonly #of: LiveField | null;
	readonly #ring: number;

	constructor(frame: Frame, of: LiveField | null, layout: Layout) {
		this.#frame = frame;
		this.#of = of;
		this.#ring = frame.wordRing(layout);
	}

	write(cells: Cells, event: LiveEvent, at: number): void {
		if (this.#of !== null && event[this.#of] === undefined) return;
		const place = this.#frame.place(cells, at);
		if (place < 0) return;
		const i = cells.word + this.#ring + place;
		cells.words[i] = (cells.words[i] as number) + 1;
	}

	read(cells: Cells, now: number): number {
		const from = cells.word + this.#ring;
		return this.#frame.total(cells.words, from, cells, now);
	}
}

/** What the numbers in `of` add up to: exactly, in any order, since they lie on the 2⁻¹² grid within ±2²⁰. */
export class Sums implements Tally {
	readonly #frame: Frame;
	readonly #of: LiveField;
	readonly #ring: number;

	constructor(frame: Frame, of: LiveField, layout: Layout) {
		this.#frame = frame;
		this.#of = of;
		this.#ring = frame.numberRing(layout);
	}

	write(cells: Cells, event: LiveEvent, at: number): void {
		const value = event[this.#of];
		if (typeof value !== "number") return;
		const place = this.#frame.place(cells, at);
		if (place < 0) return;
		const i = cells.number + this.#ring + place;
		cells.numbers[i] = (cells.numbers[i] as number) + value;
	}

	read(cells: Cells, now: number): number {
		const from = cells.number + this.#ring;
		return this.#frame.total(cells.numbers, from, cells, now);
	}
}

/** When the latest event came, to the millisecond; 0: none did. */
export class Latest implements Tally {
	readonly #at: number;

	constructor(layout: Layout) {
		this.#at = layout.takeNumbers(1);
	}

	write({ numbers, number }: Cells, _event: LiveEvent, at: number): void {
		const i = number + this.#at;
		numbers[i] = Math.max(numbers[i] as number, at);
	}

	read({ numbers, number }: Cells): number {
		return numbers[number + this.#at] as number;
	}
}

/** The latest event's number in `of`, and when it came; of several at one instant the greatest, whichever was heard first. */
export class LatestNumber implements Tally {
	readonly #of: LiveField;
	readonly #at: number;

	constructor(of: LiveField, layout: Layout) {
		this.#of = of;
		this.#at = layout.takeNumbers(2);
	}

	write({ numbers, number }: Cells, event: LiveEvent, at: number): void {
		const value = event[this.#of];
		if (typeof value !== "number") return;
		const i = number + this.#at;
		const known = numbers[i] as number;
		if (at < known) return;
		const last = numbers[i + 1] as number;
		numbers[i + 1] = at === known ? Math.max(last, value) : value;
		numbers[i] = at;
	}

	/** Null where the latest came at `after` or before. */
	readAfter({ numbers, number }: Cells, after: number): number | null {
		const i = number + this.#at;
		return (numbers[i] as number) > after ? (numbers[i + 1] as number) : null;
	}
}

/** Names a distinct set holds. */
export const MOST_DISTINCT = 64;

/**
 * The names in `of` that were heard latest, at most 64: 32 bits of each one's hash, and the number of its newest bucket. A name gives way
 * only to one heard later, so the number of those in a window is exact up to 64 and stays there beyond; two names of one key are taken
 * for one with a chance of 2⁻³² a pair, 5·10⁻⁷ for a full set.
 */
export class DistinctSet implements Tally {
	readonly #frame: Frame;
	readonly #of: LiveField;
	readonly #hash: KeyHash;
	readonly #set: number;

	constructor(frame: Frame, of: LiveField, hash: KeyHash, layout: Layout) {
		this.#frame = frame;
		this.#of = of;
		this.#hash = hash;
		this.#set = layout.takeWords(2 * MOST_DISTINCT);
	}

	write({ words, word }: Cells, event: LiveEvent, at: number): void {
		const name = event[this.#of];
		if (name === undefined) return;
		this.#hash.of(String(name));
		// 0 is an empty place.
		const hash = this.#hash.low === 0 ? 1 : this.#hash.low;
		const bucket = Math.floor(at / this.#frame.widthMs) | 0;
		let i = word + this.#set;
		let oldest = i;
		for (const end = i + 2 * MOST_DISTINCT; i < end; i += 2) {
			if (words[i] === 0 || words[i] === hash) break;
			if (isBefore(words[i + 1] as number, words[oldest + 1] as number))
				oldest = i;
		}
		const full = i === word + this.#set + 2 * MOST_DISTINCT;
		if (full) i = oldest;
		if (words[i] !== 0 && !isBefore(words[i + 1] as number, bucket)) return;
		words[i] = hash;
		words[i + 1] = bucket;
	}

	read({ words, word }: Cells, now: number): number {
		const first = this.#frame.firstBucket(now) | 0;
		let count = 0;
		let i = word + this.#set;
		for (const end = i + 2 * MOST_DISTINCT; i < end && words[i] !== 0; i += 2)
			if (!isBefore(words[i + 1] as number, first)) count++;
		return count;
	}
}

/** Of two bucket numbers modulo 2³², less than 2³¹ apart. */
function isBefore(a: number, b: number): boolean {
	return ((a - b) | 0) < 0;
}
