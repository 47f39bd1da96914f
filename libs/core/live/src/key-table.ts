import type { Cells, Layout } from "./cells.js";

/** Keys of a page, a power of two. */
const PAGE_KEYS = 512;
const PAGE_BITS = 9;
const NONE = -1;

/** Room for PAGE_KEYS keys. */
interface Page {
	/** Hash of each key, high half first. */
	readonly hashes: Uint32Array;
	readonly heardAt: Float64Array;
	/** Per key the one heard of next before it, and next after it. */
	readonly links: Int32Array;
	readonly words: Uint32Array;
	readonly numbers: Float64Array;
}

/**
 * All keys of one kind in pages of typed arrays: a key is a slot, found by its 64-bit hash (open addressing, linear probing). Slots are
 * linked in the order in which they were last heard of; the one heard of longest ago leaves where there are `mostKeys`.
 * Memory: `bytesPerKey` for each key there was room for at most, and 8 to 16 bytes for each of `mostKeys`.
 */
export class KeyTable {
	readonly #layout: Layout;
	readonly #mostKeys: number;
	readonly #pages: Page[] = [];
	/** Slot + 1 at the place of its hash; 0: free. */
	readonly #index: Int32Array;
	readonly #mask: number;
	readonly #freed: number[] = [];
	readonly #cells: Cells;
	#used = 0;
	#size = 0;
	#oldest = NONE;
	#newest = NONE;

	constructor(layout: Layout, mostKeys: number) {
		this.#layout = layout;
		this.#mostKeys = mostKeys;
		this.#cells = layout.empty();
		const places = 2 ** Math.ceil(Math.log2(2 * mostKeys));
		this.#index = new Int32Array(places);
		this.#mask = places - 1;
	}

	get size(): number {
		return this.#size;
	}

	get bytesPerKey(): number {
		const { words, numbers } = this.#layout;
		return 4 * words + 8 * numbers + 8 + 8 + 8;
	}

	get bytes(): number {
		const pages = this.#pages.length * PAGE_KEYS * this.bytesPerKey;
		return this.#index.byteLength + pages;
	}

	/** Where the key's cells are, until the next call of any method; null where it is unknown. */
	find(high: number, low: number): Cells | null {
		const place = this.#placeOf(high, low);
		const entry = this.#index[place] as number;
		return entry === 0 ? null : this.#cellsOf(entry - 1);
	}

	/** Like `find`, of a key that is heard of now; one that was unknown has zeros. */
	hear(high: number, low: number, heardAt: number): Cells {
		let place = this.#placeOf(high, low);
		const entry = this.#index[place] as number;
		if (entry !== 0) {
			const slot = entry - 1;
			this.#unlink(slot);
			this.#link(slot, heardAt);
			return this.#cellsOf(slot);
		}
		if (this.#size === this.#mostKeys) {
			this.#drop(this.#oldest);
			place = this.#placeOf(high, low);
		}
		const slot = this.#newSlot(high, low);
		this.#index[place] = slot + 1;
		this.#size += 1;
		this.#link(slot, heardAt);
		return this.#cellsOf(slot);
	}

	/** Lets keys go that were not heard of since, at most `most` of them. */
	leave(before: number, most: number): void {
		for (let i = 0; i < most && this.#oldest !== NONE; i++) {
			const { heardAt } = this.#pageOf(this.#oldest);
			const at = heardAt[this.#oldest & (PAGE_KEYS - 1)] as number;
			if (at >= before) return;
			this.#drop(this.#oldest);
		}
	}

	forget(high: number, low: number): void {
		const entry = this.#index[this.#placeOf(high, low)] as number;
		if (entry !== 0) this.#drop(entry - 1);
	}

	/** Forgets all keys with one of these high halves: a look at each key, in the order in which they lie. */
	forgetAll(highs: ReadonlySet<number>): void {
		for (let slot = 0; slot < this.#used; slot++) {
			const { hashes } = this.#pageOf(slot);
			const at = 2 * (slot & (PAGE_KEYS - 1));
			if (!highs.has(hashes[at] as number)) continue;
			const entry =
				this.#index[
					this.#placeOf(hashes[at] as number, hashes[at + 1] as number)
				];
			// Slots that were freed have the hash of who had them last.
			if (entry === slot + 1) this.#drop(slot);
		}
	}

	#pageOf(slot: number): Page {
		return this.#pages[slot >>> PAGE_BITS] as Page;
	}

	#cellsOf(slot: number): Cells {
		const { words, numbers } = this.#pageOf(slot);
		const cells = this.#cells;
		const at = slot & (PAGE_KEYS - 1);
		cells.words = words;
		cells.word = at * this.#layout.words;
		cells.numbers = numbers;
		cells.number = at * this.#layout.numbers;
		return cells;
	}

	/** Where the index names the key, or the free place where it would. */
	#placeOf(high: number, low: number): number {
		let place = low & this.#mask;
		for (;;) {
			const entry = this.#index[place] as number;
			if (entry === 0 || this.#has(entry - 1, high, low)) return place;
			place = (place + 1) & this.#mask;
		}
	}

	#has(slot: number, high: number, low: number): boolean {
		const { hashes } = this.#pageOf(slot);
		const at = 2 * (slot & (PAGE_KEYS - 1));
		return hashes[at + 1] === low && hashes[at] === high;
	}

	#newSlot(high: number, low: number): number {
		const slot = this.#freed.pop() ?? this.#used++;
		if (slot >>> PAGE_BITS === this.#pages.length)
			this.#pages.push(this.#page());
		const { hashes } = this.#pageOf(slot);
		const at = 2 * (slot & (PAGE_KEYS - 1));
		hashes[at] = high;
		hashes[at + 1] = low;
		return slot;
	}

	#page(): Page {
		return {
			hashes: new Uint32Array(2 * PAGE_KEYS),
			heardAt: new Float64Array(PAGE_KEYS),
			links: new Int32Array(2 * PAGE_KEYS),
			words: new Uint32Array(this.#layout.words * PAGE_KEYS),
			numbers: new Float64Array(this.#layout.numbers * PAGE_KEYS),
		};
	}

	/** What is dropped is made zero at once: it is somebody's, and the slot's next key begins with nothing. */
	#drop(slot: number): void {
		this.#unlink(slot);
		this.#unindex(slot);
		const { words, word, numbers, number } = this.#cellsOf(slot);
		words.fill(0, word, word + this.#layout.words);
		numbers.fill(0, number, number + this.#layout.numbers);
		this.#freed.push(slot);
		this.#size -= 1;
	}

	/** Moves up whatever would not be found any more behind the hole (Knuth, vol. 3, 6.4, algorithm R). */
	#unindex(slot: number): void {
		const index = this.#index;
		const { hashes } = this.#pageOf(slot);
		const at = 2 * (slot & (PAGE_KEYS - 1));
		let hole = this.#placeOf(hashes[at] as number, hashes[at + 1] as number);
		for (let place = hole; ; ) {
			place = (place + 1) & this.#mask;
			const entry = index[place] as number;
			if (entry === 0) break;
			const home = this.#homeOf(entry - 1);
			const fromHome = (place - home) & this.#mask;
			const fromHole = (place - hole) & this.#mask;
			if (fromHome < fromHole) continue;
			index[hole] = entry;
			hole = place;
		}
		index[hole] = 0;
	}

	#homeOf(slot: number): number {
		const { hashes } = this.#pageOf(slot);
		const low = hashes[2 * (slot & (PAGE_KEYS - 1)) + 1] as number;
		return low & this.#mask;
	}

	#link(slot: number, heardAt: number): void {
		const page = this.#pageOf(slot);
		const at = slot & (PAGE_KEYS - 1);
		page.heardAt[at] = heardAt;
		page.links[2 * at] = this.#newest;
		page.links[2 * at + 1] = NONE;
		if (this.#newest === NONE) this.#oldest = slot;
		else this.#setAfter(this.#newest, slot);
		this.#newest = slot;
	}

	#unlink(slot: number): void {
		const { links } = this.#pageOf(slot);
		const at = 2 * (slot & (PAGE_KEYS - 1));
		const before = links[at] as number;
		const after = links[at + 1] as number;
		if (before === NONE) this.#oldest = after;
		else this.#setAfter(before, after);
		if (after === NONE) this.#newest = before;
		else this.#setBefore(after, before);
	}

	#setBefore(slot: number, before: number): void {
		this.#pageOf(slot).links[2 * (slot & (PAGE_KEYS - 1))] = before;
	}

	#setAfter(slot: number, after: number): void {
		this.#pageOf(slot).links[2 * (slot & (PAGE_KEYS - 1)) + 1] = after;
	}
}
