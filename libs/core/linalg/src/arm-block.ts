import { packedLength } from "./packed-symmetric.js";

/** Rows of M that are multiplied at once: two vectors of two lanes. */
export const ROWS = 4;

/**
 * What the scoring kernel reads of one arm, in the kernel's layout: θ, filled up with zeros to whole groups of four, then the lower
 * triangle M by blocks of four rows; of a block, column after column, the four entries of that column. Rows below the last one, and
 * entries right of the diagonal, are zeros.
 */
export class ArmBlock {
	constructor(
		/** Length of x. */
		readonly d: number,
		/** The truth about the arm; a copy may lie in the kernel's memory. */
		readonly values: Float64Array,
	) {}
}

/** d rounded up to whole groups of rows. */
export function paddedLength(d: number): number {
	return Math.ceil(d / ROWS) * ROWS;
}

/** Entries of a block: θ and the rows of M. Row block r (from 0) has its first min(4(r + 1), d) columns. */
export function blockLength(d: number): number {
	let length = paddedLength(d);
	for (let row = 0; row < d; row += ROWS)
		length += ROWS * Math.min(row + ROWS, d);
	return length;
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
	let start = paddedLength(d);
	for (let first = 0; first < d; first += ROWS) {
		const columns = Math.min(first + ROWS, d);
		for (let i = first; i < columns; i++) {
			const row = (i * (i + 1)) / 2;
			const lane = start + i - first;
			for (let j = 0; j <= i; j++)
				values[lane + ROWS * j] = M[row + j] as number;
		}
		start += ROWS * columns;
	}
	return new ArmBlock(d, values);
}
