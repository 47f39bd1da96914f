/**
 * Weights of AIPW scores. A row's weight h for an arm must be known before the arm is drawn (predictable), else the mean of weighted scores
 * is biased; and it should be small where the arm's 1/p is large, else a few rows drown all others. Both:
 *
 *   h_t(a) = 1 / (mean of 1/p_i(a) over the booked rows i < t of the row's group in which a could be drawn), at most 5 p_t(a)
 *
 * which makes groups of different propensities weigh by their inverse variance, and all contexts of a group alike (Zhan, Ren, Athey, Zhou
 * 2021, "Off-policy evaluation via adaptive weighting with data from contextual bandits", the non-contextual MinVar weights).
 * h is held for a block of rows, so that whoever keeps one h a block can compute any row's score again.
 */

/** Of one group and arm: the booked rows in which the arm could be drawn (p > 0), and Σ 1/p over them. */
export interface Reciprocals {
	rows: number;
	sum: number;
}

/** h for the block that begins now; null while there is no earlier row: then each row weighs with its own p (`weightOf`). */
export function blockWeight({ rows, sum }: Reciprocals): number | null {
	return rows > 0 ? rows / sum : null;
}

/**
 * A draw weighs h/p at most so much. Where a policy leaves its cold start, 1/p of most arms rises a hundredfold at once, and the mean of the
 * earlier rows knows nothing of it: one draw would weigh as fifty do (measured: an SE three times too large for 100,000 decisions).
 */
const MOST_PER_DRAW = 5;

/**
 * h of a row whose block has h `blockWeight`: that, but at most 5p; without one (the first row of a group, or of an arm) p itself.
 * The row's p is known before its draw too.
 */
export function weightOf(
	blockWeight: number | null | undefined,
	p: number,
): number {
	return Math.min(blockWeight ?? p, MOST_PER_DRAW * p);
}

/** Rows of a block once the group has as many; before, blocks double. */
export const BLOCK_ROWS = 512;
const DOUBLINGS = Math.log2(BLOCK_ROWS);

/**
 * Number of the block of a group's row, rows and blocks counted from 0 in booked order: rows 0, 1, 2–3, 4–7, … 256–511, then every 512.
 * The first blocks are short since propensities move fastest while nothing is known.
 */
export function blockOf(row: number): number {
	if (row >= BLOCK_ROWS) return DOUBLINGS + Math.floor(row / BLOCK_ROWS);
	return row === 0 ? 0 : 1 + Math.floor(Math.log2(row));
}
