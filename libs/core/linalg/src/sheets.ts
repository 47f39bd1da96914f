/**
 * Vectors cut from buffers that many share. A buffer of its own costs an allocation outside the heap, and the collector some
 * microseconds to give back, whatever its size. As long as one vector of a sheet is kept, so is the sheet: cut together what is dropped
 * together.
 */
export class Sheets {
	readonly #cutFrom: Float64Array[] = [];
	#used = 0;

	constructor(private readonly spare: SpareSheets) {}

	/** A vector whose entries are whatever was there before. */
	cut(length: number): Float64Array {
		if (length > this.spare.longest) return new Float64Array(length);
		let sheet = this.#cutFrom.at(-1);
		if (sheet === undefined || this.#used + length > sheet.length) {
			sheet = this.spare.take();
			this.#cutFrom.push(sheet);
			this.#used = 0;
		}
		const from = this.#used;
		this.#used += length;
		return sheet.subarray(from, this.#used);
	}

	get isUncut(): boolean {
		return this.#cutFrom.length === 0;
	}

	/** Hands the memory back. Each vector that was cut from it has no entries from now on, so that one still in use is noticed. */
	giveBack(): void {
		for (const sheet of this.#cutFrom.splice(0)) this.spare.give(sheet);
	}
}

/** Sheets that are used again: what is left to the collector makes it come, and while it is at work nothing else is. */
export class SpareSheets {
	readonly #waiting: Float64Array[] = [];

	/**
	 * @param entries of a sheet
	 * @param most sheets that wait to be used again
	 */
	constructor(
		private readonly entries: number,
		private readonly most: number,
	) {}

	/** Entries of the longest vector that is not worth a buffer of its own. */
	get longest(): number {
		return this.entries / 8;
	}

	take(): Float64Array {
		return this.#waiting.pop() ?? new Float64Array(this.entries);
	}

	/** Whoever still has a view of the sheet has none from now on. */
	give({ buffer }: Float64Array): void {
		const moved = structuredClone(buffer, {
			transfer: [buffer as ArrayBuffer],
		});
		if (this.#waiting.length < this.most)
			this.#waiting.push(new Float64Array(moved));
	}
}

/** What is less together does not fill half of a sheet of 512 KiB, and has memory of its own. */
export const LEAST_SHARED_BYTES = 2 ** 18;

/** Whether the vector is a part of what it keeps in memory. */
export function isCut(vector: Float64Array): boolean {
	return vector.byteLength < vector.buffer.byteLength;
}
