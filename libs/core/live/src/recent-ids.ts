/** Slots of a generation at first; it doubles as ids come. */
const FEWEST_SLOTS = 1024;

type Column = Uint16Array | Uint32Array | Float64Array;
/** Makes what is kept beside each id: a number a slot. */
export type MakeColumn = (slots: number) => Column;

/** What is kept beside an id: place `at` of each column. Good until the next call of any method. */
export interface Kept {
	columns: readonly Column[];
	at: number;
}

/**
 * Which ids came before, each with a number in every column, as 64-bit hashes in two generations: ids go into the newer, and when that
 * holds `most` the older one is emptied and becomes the newer. So an id is known for certain while fewer than `most` other ids have come
 * since; after twice as many it is not. An id never seen is taken for a known one with a chance of 2·most / 2⁶⁴.
 * Memory: two tables, a quarter to half full: 32 bytes for each of `most` where that is a power of two, and four times a number's of
 * each column.
 */
export class RecentIds {
	readonly #most: number;
	readonly #kept: Kept = { columns: [], at: 0 };
	#newer: Generation;
	#older: Generation;

	constructor(most: number, columns: readonly MakeColumn[] = []) {
		this.#most = most;
		this.#newer = new Generation(FEWEST_SLOTS, columns);
		this.#older = new Generation(FEWEST_SLOTS, columns);
	}

	get bytes(): number {
		return this.#newer.bytes + this.#older.bytes;
	}

	/** Where the numbers of an id go that was not known and is from now on; null for one that was. */
	add(high: number, low: number): Kept | null {
		if (this.#older.find(high, low) >= 0) return null;
		if (this.#newer.count >= this.#most) {
			if (this.#newer.find(high, low) >= 0) return null;
			const emptied = this.#older.emptied();
			this.#older = this.#newer;
			this.#newer = emptied;
		}
		const at = this.#newer.add(high, low);
		return at < 0 ? null : this.#keptIn(this.#newer, at);
	}

	/** The numbers that came with the id; null where it is not known. */
	find(high: number, low: number): Kept | null {
		const newer = this.#newer.find(high, low);
		if (newer >= 0) return this.#keptIn(this.#newer, newer);
		const older = this.#older.find(high, low);
		return older < 0 ? null : this.#keptIn(this.#older, older);
	}

	#keptIn({ columns }: Generation, at: number): Kept {
		this.#kept.columns = columns;
		this.#kept.at = at;
		return this.#kept;
	}
}

class Generation {
	count = 0;
	columns: Column[];
	readonly #make: readonly MakeColumn[];
	#hashes: Uint32Array;

	constructor(slots: number, make: readonly MakeColumn[]) {
		this.#make = make;
		this.#hashes = new Uint32Array(2 * slots);
		this.columns = make.map((one) => one(slots));
	}

	get bytes(): number {
		return this.columns.reduce(
			(sum, { byteLength }) => sum + byteLength,
			this.#hashes.byteLength,
		);
	}

	/** The id's slot; −1 where it is not known. */
	find(high: number, low: number): number {
		const place = this.#placeOf(high, low);
		return this.#isTaken(place) ? place >>> 1 : -1;
	}

	/** The slot of an id that is known from now on; −1 where it was. */
	add(high: number, low: number): number {
		if (4 * this.count >= this.#hashes.length) this.#grow();
		const place = this.#placeOf(high, low);
		if (this.#isTaken(place)) return -1;
		this.#hashes[place] = notZero(high, low);
		this.#hashes[place + 1] = low;
		this.count += 1;
		return place >>> 1;
	}

	emptied(): this {
		this.#hashes.fill(0);
		this.count = 0;
		return this;
	}

	#grow(): void {
		const [hashes, columns] = [this.#hashes, this.columns];
		this.#hashes = new Uint32Array(2 * hashes.length);
		this.columns = this.#make.map((one) => one(hashes.length));
		this.count = 0;
		for (let i = 0; i < hashes.length; i += 2) {
			const high = hashes[i] as number;
			const low = hashes[i + 1] as number;
			if (high === 0 && low === 0) continue;
			const slot = this.add(high, low);
			for (let c = 0; c < columns.length; c++)
				(this.columns[c] as Column)[slot] = (columns[c] as Column)[
					i >>> 1
				] as number;
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
