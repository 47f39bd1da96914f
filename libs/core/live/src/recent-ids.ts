/** Slots of a generation at first; it doubles as ids come. */
const FEWEST_SLOTS = 1024;

/**
 * Which ids came before, each with a number where those are kept, as 64-bit hashes in two generations: ids go into the newer, and when
 * that holds `most` the older one is emptied and becomes the newer. So an id is known for certain while fewer than `most` other ids have
 * come since; after twice as many it is not. An id never seen is taken for a known one with a chance of 2·most / 2⁶⁴.
 * Memory: two tables, a quarter to half full: 32 bytes for each of `most` where that is a power of two, and 16 more with numbers.
 */
export class RecentIds {
	readonly #most: number;
	#newer: Generation;
	#older: Generation;

	constructor(most: number, numbered: boolean) {
		this.#most = most;
		this.#newer = new Generation(FEWEST_SLOTS, numbered);
		this.#older = new Generation(FEWEST_SLOTS, numbered);
	}

	get bytes(): number {
		return this.#newer.bytes + this.#older.bytes;
	}

	/** True for an id that was not known; it is from now on. */
	add(high: number, low: number, value = 0): boolean {
		if (this.#older.has(high, low) || !this.#newer.add(high, low, value))
			return false;
		if (this.#newer.count < this.#most) return true;
		const emptied = this.#older.emptied();
		this.#older = this.#newer;
		this.#newer = emptied;
		return true;
	}

	/** The number that came with the id. */
	find(high: number, low: number): number | undefined {
		return this.#newer.find(high, low) ?? this.#older.find(high, low);
	}
}

class Generation {
	count = 0;
	#hashes: Uint32Array;
	/** One a slot, or none at all. */
	#numbers: Uint32Array;

	constructor(slots: number, numbered: boolean) {
		this.#hashes = new Uint32Array(2 * slots);
		this.#numbers = new Uint32Array(numbered ? slots : 0);
	}

	get bytes(): number {
		return this.#hashes.byteLength + this.#numbers.byteLength;
	}

	has(high: number, low: number): boolean {
		return this.#isTaken(this.#placeOf(high, low));
	}

	find(high: number, low: number): number | undefined {
		const place = this.#placeOf(high, low);
		return this.#isTaken(place) ? this.#numbers[place >>> 1] : undefined;
	}

	add(high: number, low: number, value: number): boolean {
		if (4 * this.count >= this.#hashes.length) this.#grow();
		const place = this.#placeOf(high, low);
		if (this.#isTaken(place)) return false;
		this.#hashes[place] = notZero(high, low);
		this.#hashes[place + 1] = low;
		if (this.#numbers.length > 0) this.#numbers[place >>> 1] = value;
		this.count += 1;
		return true;
	}

	emptied(): this {
		this.#hashes.fill(0);
		this.count = 0;
		return this;
	}

	#grow(): void {
		const [hashes, numbers] = [this.#hashes, this.#numbers];
		this.#hashes = new Uint32Array(2 * hashes.length);
		this.#numbers = new Uint32Array(2 * numbers.length);
		this.count = 0;
		for (let i = 0; i < hashes.length; i += 2) {
			const high = hashes[i] as number;
			const low = hashes[i + 1] as number;
			if (high !== 0 || low !== 0) this.add(high, low, numbers[i >>> 1] ?? 0);
		}
	}

	/** Where the id is, or the empty place where it belongs. */
	#placeOf(high: number, low: number): number {
		const hashes = this.#hashes;
		const mask = hashes.length - 1;
		const first = notZero(high, low);
		let place = (low << 1) & mask;
		while (
			this.#isTaken(place) &&
			(hashes[place] !== first || hashes[place + 1] !== low)
		)
			place = (place + 2) & mask;
		return place;
	}

	#isTaken(place: number): boolean {
		return this.#hashes[place] !== 0 || this.#hashes[place + 1] !== 0;
	}
}

/** An empty slot is two zeros. */
function notZero(high: number, low: number): number {
	return high === 0 && low === 0 ? 1 : high;
}
