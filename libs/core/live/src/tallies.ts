import type { LiveName } from "#core/experiment";
import type { Cells, Layout } from "./cells.js";
import type { Frame } from "./frame.js";
import type { KeyHash } from "./key-hash.js";
import type { LiveEvent } from "./live-event.js";
import type { Written } from "./retractable.js";

/** Part of what is kept of a key, to be read by an aggregate. `numbers` are those that the event holds, by place; NaN: none there. */
export interface Tally {
	/** Writes an event that happened `at`. */
	write(
		cells: Cells,
		event: LiveEvent,
		at: number,
		numbers: Float64Array,
	): void;
	/** Takes it out again. Absent: what was written stays, and so an event is written that was taken back before it came. */
	takeBack?(cells: Cells, written: Written): void;
}

/** How many events there were, or how many with a number in `of`. */
export class Counts implements Tally {
	readonly #frame: Frame;
	readonly #of: number | null;
	readonly #ring: number;

	constructor(frame: Frame, of: number | null, layout: Layout) {
		this.#frame = frame;
		this.#of = of;
		this.#ring = frame.wordRing(layout);
	}

	write(cells: Cells, _: LiveEvent, at: number, numbers: Float64Array): void {
		if (this.#of !== null && Number.isNaN(numbers[this.#of])) return;
		const place = this.#frame.place(cells, at);
		if (place < 0) return;
		const i = cells.word + this.#ring + place;
		cells.words[i] = (cells.words[i] as number) + 1;
	}

	takeBack(cells: Cells, { at, numbers }: Written): void {
		if (this.#of !== null && Number.isNaN(numbers[this.#of])) return;
		const place = this.#frame.find(cells, at);
		if (place < 0) return;
		const i = cells.word + this.#ring + place;
		// A key that had to leave for want of room may have come back without the event.
		cells.words[i] = Math.max(0, (cells.words[i] as number) - 1);
	}

	read(cells: Cells, now: number): number {
		const from = cells.word + this.#ring;
		return this.#frame.total(cells.words, from, cells, now);
	}
}

/** What the numbers in `of` add up to: exactly, in any order, since they lie on the 2⁻¹² grid within ±2²⁰. */
export class Sums implements Tally {
	readonly #frame: Frame;
	readonly #of: number;
	readonly #ring: number;

	constructor(frame: Frame, of: number, layout: Layout) {
		this.#frame = frame;
		this.#of = of;
		this.#ring = frame.numberRing(layout);
	}

	write(cells: Cells, _: LiveEvent, at: number, numbers: Float64Array): void {
		const value = numbers[this.#of] as number;
		if (!Number.isNaN(value))
			this.#add(cells, this.#frame.place(cells, at), value);
	}

	takeBack(cells: Cells, { at, numbers }: Written): void {
		const value = numbers[this.#of] as number;
		if (!Number.isNaN(value))
			this.#add(cells, this.#frame.find(cells, at), -value);
	}

	#add(cells: Cells, place: number, value: number): void {
		if (place < 0) return;
		const i = cells.number + this.#ring + place;
		cells.numbers[i] = (cells.numbers[i] as number) + value;
	}

	read(cells: Cells, now: number): number {
		const from = cells.number + this.#ring;
		return this.#frame.total(cells.numbers, from, cells, now);
	}
}

/** Events that are kept of those that came latest: one, and more for when that is taken back. */
const LATEST = 4;

/**
 * When the latest events came, to the millisecond, the latest first; 0: none did. If all four are taken back, whatever came before them
 * is not known any more.
 */
export class Latest implements Tally {
	readonly #at: number;

	constructor(layout: Layout) {
		this.#at = layout.takeNumbers(LATEST);
	}

	write({ numbers, number }: Cells, _event: LiveEvent, at: number): void {
		const first = number + this.#at;
		let i = first + LATEST - 1;
		if (at <= (numbers[i] as number)) return;
		for (; i > first && (numbers[i - 1] as number) < at; i--)
			numbers[i] = numbers[i - 1] as number;
		numbers[i] = at;
	}

	takeBack({ numbers, number }: Cells, { at }: Written): void {
		const first = number + this.#at;
		const found = numbers.indexOf(at, first);
		if (found < 0 || found >= first + LATEST) return;
		numbers.copyWithin(found, found + 1, first + LATEST);
		numbers[first + LATEST - 1] = 0;
	}

	read({ numbers, number }: Cells): number {
		return numbers[number + this.#at] as number;
	}
}

/**
 * The latest events' numbers, and when they came, the latest first; of several at one instant the greatest, whichever was heard first. If
 * all four are taken back, whatever came before them is not known any more.
 */
export class LatestNumber implements Tally {
	readonly #of: number;
	readonly #at: number;

	constructor(of: number, layout: Layout) {
		this.#of = of;
		this.#at = layout.takeNumbers(2 * LATEST);
	}

	write(cells: Cells, _: LiveEvent, at: number, of: Float64Array): void {
		const value = of[this.#of] as number;
		if (Number.isNaN(value)) return;
		const { numbers } = cells;
		const first = cells.number + this.#at;
		let i = first + 2 * (LATEST - 1);
		if (!isLater(at, value, numbers, i)) return;
		for (; i > first && isLater(at, value, numbers, i - 2); i -= 2)
			numbers.copyWithin(i, i - 2, i);
		numbers[i] = at;
		numbers[i + 1] = value;
	}

	takeBack(cells: Cells, { at, numbers: of }: Written): void {
		const value = of[this.#of] as number;
		const { numbers } = cells;
		const end = cells.number + this.#at + 2 * LATEST;
		for (let i = end - 2 * LATEST; i < end; i += 2) {
			if (numbers[i] !== at || numbers[i + 1] !== value) continue;
			numbers.copyWithin(i, i + 2, end);
			numbers.fill(0, end - 2, end);
			return;
		}
	}

	/** Null where the latest came at `after` or before. */
	readAfter({ numbers, number }: Cells, after: number): number | null {
		const i = number + this.#at;
		return (numbers[i] as number) > after ? (numbers[i + 1] as number) : null;
	}
}

function isLater(
	at: number,
	value: number,
	numbers: Float64Array,
	than: number,
): boolean {
	const known = numbers[than] as number;
	return at === known ? value > (numbers[than + 1] as number) : at > known;
}

/** Names a distinct set holds. */
export const MOST_DISTINCT = 64;

/**
 * The names in `of` that were heard latest, at most 64: 32 bits of each one's hash, and the number of its newest bucket. A name gives way
 * only to one heard later, so the number of those in a window is exact up to 64 and stays there beyond; two names of one key are taken
 * for one with a chance of 2⁻³² a pair, 5·10⁻⁷ for a full set. A name that was heard stays when its event is taken back: how many others
 * there were of it is not known.
 */
export class DistinctSet implements Tally {
	readonly #frame: Frame;
	readonly #of: LiveName;
	readonly #hash: KeyHash;
	readonly #set: number;

	constructor(frame: Frame, of: LiveName, hash: KeyHash, layout: Layout) {
		this.#frame = frame;
		this.#of = of;
		this.#hash = hash;
		this.#set = layout.takeWords(2 * MOST_DISTINCT);
	}

	write({ words, word }: Cells, event: LiveEvent, at: number): void {
		const name = event[this.#of];
		if (name === undefined) return;
		this.#hash.of(name);
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
