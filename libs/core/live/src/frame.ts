import type { Cells, Layout } from "./cells.js";

/** Buckets kept: eleven can lie in a window whose older edge is rounded, and one more for reads behind the newest event. */
const BUCKETS = 12;

/**
 * Time in buckets of a tenth of a window, the newest twelve of which a key keeps in rings. The window before `now` begins at the bucket
 * edge nearest to now − window, so that edge is off by at most a twentieth of the window; it ends with what was heard last. All rings of a
 * key that have the window share the newest bucket's number, which is a float64: 0 as long as nothing came.
 */
export class Frame {
	readonly widthMs: number;
	readonly #windowMs: number;
	readonly #newest: number;
	/** First word or number of each ring. */
	readonly #wordRings: number[] = [];
	readonly #numberRings: number[] = [];

	constructor(windowMs: number, layout: Layout) {
		this.#windowMs = windowMs;
		this.widthMs = Math.floor(windowMs / 10);
		this.#newest = layout.takeNumbers(1);
	}

	wordRing(layout: Layout): number {
		const ring = layout.takeWords(BUCKETS);
		this.#wordRings.push(ring);
		return ring;
	}

	numberRing(layout: Layout): number {
		const ring = layout.takeNumbers(BUCKETS);
		this.#numberRings.push(ring);
		return ring;
	}

	/** Where in a ring the time's bucket is; −1 where it is older than all that are kept. */
	place(cells: Cells, at: number): number {
		const bucket = Math.floor(at / this.widthMs);
		const { numbers, number } = cells;
		const newest = numbers[number + this.#newest] as number;
		if (bucket > newest) {
			numbers[number + this.#newest] = bucket;
			this.#empty(cells, bucket, Math.min(BUCKETS, bucket - newest));
		}
		return bucket <= newest - BUCKETS ? -1 : placeOf(bucket);
	}

	/** Where in a ring the time's bucket is, if it is kept; −1 where it is not. */
	find(cells: Cells, at: number): number {
		const bucket = Math.floor(at / this.widthMs);
		const newest = cells.numbers[cells.number + this.#newest] as number;
		return bucket > newest || bucket <= newest - BUCKETS ? -1 : placeOf(bucket);
	}

	/** What the ring's buckets in the window before `now` add up to. */
	total(
		ring: ArrayLike<number>,
		from: number,
		cells: Cells,
		now: number,
	): number {
		const newest = cells.numbers[cells.number + this.#newest] as number;
		const first = Math.max(this.firstBucket(now), newest - BUCKETS + 1);
		let total = 0;
		let place = placeOf(first);
		for (let bucket = first; bucket <= newest; bucket++) {
			total += ring[from + place] as number;
			place = place + 1 === BUCKETS ? 0 : place + 1;
		}
		return total;
	}

	firstBucket(now: number): number {
		return Math.floor((now - this.#windowMs) / this.widthMs + 0.5);
	}

	/** The places of `count` buckets, up to `bucket`. */
	#empty(
		{ words, word, numbers, number }: Cells,
		bucket: number,
		count: number,
	): void {
		let place = placeOf(bucket);
		for (let i = 0; i < count; i++) {
			for (const ring of this.#wordRings) words[word + ring + place] = 0;
			for (const ring of this.#numberRings) numbers[number + ring + place] = 0;
			place = place === 0 ? BUCKETS - 1 : place - 1;
		}
	}
}

/** The remainder, without the modulo of floating point, which takes longer than all else here. */
function placeOf(bucket: number): number {
	return bucket - BUCKETS * Math.floor(bucket / BUCKETS);
}
