import { packedLength } from "./packed-symmetric.js";

/** Rows of M that are multiplied at once: two vectors of two lanes. */
export const ROWS = 4;

/**
 * What the scoring kernel reads of one arm, in the kernel's layout: θ, then the lower triangle M by blocks of four rows; of a block, column
 * after column, the four entries of that column; of its last two columns, which are zero in the block's first two rows, only the other
 * two. d is rounded up to whole blocks: rows and columns after the last, and entries right of the diagonal, are zeros.
 *
 * `values` is the truth. A copy may lie in the kernel's memory: where, is remembered here, and is nobody's business but the arena's.
 */
export class ArmBlock {
	/** Which lap of an arena the copy was laid in; no lap is 0. */
	#lap = 0;
	#address = 0;

	constructor(
		/** Length of x. */
		readonly d: number,
		readonly values: Float64Array,
	) {}

	/** The copy's address, if it was laid in this lap, or in the lap before at `from` or beyond; else −1. */
	addressIn(lap: number, lapBefore: number, from: number): number {
		if (this.#lap === lap) return this.#address;
		if (this.#lap === lapBefore && this.#address >= from) return this.#address;
		return -1;
	}

	/** Whether it was ever copied. */
	get wasLaid(): boolean {
		return this.#lap !== 0;
	}

	laidAt(lap: number, address: number): void {
		this.#lap = lap;
		this.#address = address;
	}
}

/** d rounded up to whole blocks of rows. */
export function paddedLength(d: number): number {
	return (d + ROWS - 1) & ~(ROWS - 1);
}

/** Entries of θ and M together. */
export function blockLength(d: number): number {
	return paddedLength(d) + rowBlockStart(paddedLength(d));
}

/** Entries of M before the block of rows that begins at `row`: the blocks before it have 12, 28, 44 … entries. */
function rowBlockStart(row: number): number {
	return (row * (row + 2)) / 2;
}

/** Where entry (i, j), j ≤ i, of M lies in a block. */
function offsetOf(i: number, j: number, d: number): number {
	const lane = i & (ROWS - 1);
	const start = paddedLength(d) + rowBlockStart(i - lane);
	const whole = i - lane + 2;
	return j < whole
		? start + ROWS * j + lane
		: start + ROWS * whole + 2 * (j - whole) + lane - 2;
}

/** The block of an arm with mean θᵀx and width ‖Mx‖; M is a packed lower triangle by rows. Throws RangeError for other lengths. */
export function packBlock(
	theta: Float64Array,
	M: Float64Array,
	d: number,
): ArmBlock {
	if (theta.length !== d || M.length !== packedLength(d))
		throw new RangeError(
			`An arm of ${d} coordinates needs ${d} entries of θ and ${packedLength(d)} of M, not ${theta.length} and ${M.length}.`,
		);
	const values = new Float64Array(blockLength(d));
	values.set(theta);
	for (let i = 0, at = 0; i < d; i++)
		for (let j = 0; j <= i; j++, at++)
			values[offsetOf(i, j, d)] = M[at] as number;
	return new ArmBlock(d, values);
}

/** θ of a block: a view, not a copy. */
export function thetaOf({ d, values }: ArmBlock): Float64Array {
	return values.subarray(0, d);
}

/** M of a block, packed by rows. */
export function triangleOf({ d, values }: ArmBlock): Float64Array {
	const M = new Float64Array(packedLength(d));
	for (let i = 0, at = 0; i < d; i++)
		for (let j = 0; j <= i; j++, at++)
			M[at] = values[offsetOf(i, j, d)] as number;
	return M;
}
