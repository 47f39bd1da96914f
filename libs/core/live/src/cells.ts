/** Where what is kept of one key lies: words and numbers of a page, each from a place on. */
export interface Cells {
	words: Uint32Array;
	word: number;
	numbers: Float64Array;
	number: number;
}

/** How much is kept of each key, laid out as tallies ask for room. */
export class Layout {
	words = 0;
	numbers = 0;

	/** Offset of the first of `count` words of a key, zero at first. */
	takeWords(count: number): number {
		this.words += count;
		return this.words - count;
	}

	/** Offset of the first of `count` float64 of a key, zero at first. */
	takeNumbers(count: number): number {
		this.numbers += count;
		return this.numbers - count;
	}

	/** What a key nothing is known of has. */
	empty(): Cells {
		return {
			words: new Uint32Array(this.words),
			word: 0,
			numbers: new Float64Array(this.numbers),
			number: 0,
		};
	}
}
