import type { ArmBlock } from "./arm-block.js";
import type { Kernel } from "./kernel.js";

export interface HasBlock {
	readonly block: ArmBlock;
}

/** Laps are numbered across all arenas, so that a block never takes another arena's lap for its own. */
let laps = 0;

/**
 * Copies of blocks in the kernel's memory, as a ring: each copy is laid behind the last one, and at the end of the memory a new lap begins,
 * over what was laid longest ago. A block's own array stays the truth, so nothing is ever given back: an overwritten copy is made anew
 * when it is needed, and blocks that nobody holds any more are collected as all else.
 *
 * A copy is there if it was laid in this lap, or in the lap before at `#head` or beyond.
 */
export class BlockArena {
	#head: number;
	#lap = ++laps;
	#lapBefore = -1;
	/** Half of the arena's bytes. */
	#half: number;
	#most: number;
	/** Bytes of this lap that were copied not for the first time. */
	#copiedAgain = 0;

	/** From byte `base` on, at first `least` bytes, at most `most`. */
	constructor(
		private readonly kernel: Kernel,
		private readonly base: number,
		least: number,
		most: number,
	) {
		this.#head = base;
		this.#half = least / 2;
		this.#most = most;
	}

	/**
	 * How many of `count` blocks of so many bytes one call may ask for: what fits half of the arena, which grows for it while it can. With
	 * the other half a call whose blocks change one by one copies each only once a lap.
	 */
	roomFor(count: number, bytes: number): number {
		const wanted = count * bytes;
		if (wanted <= this.#half) return count;
		while (this.#half < wanted && this.#grow());
		return Math.min(count, Math.floor(this.#half / bytes));
	}

	/**
	 * Writes the address of each of the first `count` blocks to `addresses` from `at` on. All of these copies stay where they are until the
	 * next call. There must be room for them, see `roomFor`.
	 */
	place(
		arms: readonly HasBlock[],
		from: number,
		count: number,
		at: number,
	): void {
		const addresses = this.kernel.words;
		const lap = this.#lap;
		const lapBefore = this.#lapBefore;
		const head = this.#head;
		for (let a = 0; a < count; a++) {
			const address = (arms[from + a] as HasBlock).block.addressIn(
				lap,
				lapBefore,
				head,
			);
			if (address < 0) {
				this.#copyMissing(arms, from, count, at);
				return;
			}
			addresses[at + a] = address;
		}
	}

	#copyMissing(
		arms: readonly HasBlock[],
		from: number,
		count: number,
		at: number,
	): void {
		let room = this.#bytesToCopy(arms, from, count);
		while (this.#head + room > this.#end) {
			this.#turn();
			room = this.#bytesToCopy(arms, from, count);
		}
		const safeFrom = this.#head + room;
		const { words } = this.kernel;
		for (let a = 0; a < count; a++) {
			const { block } = arms[from + a] as HasBlock;
			const address = block.addressIn(this.#lap, this.#lapBefore, safeFrom);
			words[at + a] = address < 0 ? this.#copy(block) : address;
		}
	}

	/** Bytes of the blocks that are missing, or that copying these would overwrite, or that copying those would … */
	#bytesToCopy(arms: readonly HasBlock[], from: number, count: number): number {
		for (let bytes = 0; ; ) {
			let needed = 0;
			for (let a = 0; a < count; a++) {
				const { block } = arms[from + a] as HasBlock;
				const safeFrom = this.#head + bytes;
				if (block.addressIn(this.#lap, this.#lapBefore, safeFrom) < 0)
					needed += block.values.byteLength;
			}
			if (needed <= bytes) return bytes;
			bytes = needed;
		}
	}

	#copy(block: ArmBlock): number {
		const { values } = block;
		const address = this.#head;
		this.kernel.doubles.set(values, address / 8);
		if (block.wasLaid) this.#copiedAgain += values.byteLength;
		block.laidAt(this.#lap, address);
		this.#head += values.byteLength;
		return address;
	}

	/** At the end: more memory, where most of this lap was spent on copies that had been overwritten; else the next lap. */
	#turn(): void {
		const crowded = this.#copiedAgain > this.#half;
		this.#copiedAgain = 0;
		if (crowded && this.#grow()) return;
		this.#lapBefore = this.#lap;
		this.#lap = ++laps;
		this.#head = this.base;
	}

	get #end(): number {
		return this.base + 2 * this.#half;
	}

	/** Twice the bytes; what was laid stays where it is. */
	#grow(): boolean {
		const bytes = Math.min(4 * this.#half, this.#most);
		if (bytes <= 2 * this.#half) return false;
		if (!this.kernel.growTo(this.base + bytes)) {
			this.#most = 2 * this.#half;
			return false;
		}
		this.#half = bytes / 2;
		return true;
	}
}
