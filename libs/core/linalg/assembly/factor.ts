import { diagonal, offDiagonal } from "./cholesky";
import { clearPadding, invertDiagonal, invertOffDiagonal } from "./invert";
import { rowBlock } from "./row-block";
import { backward, forward } from "./substitute";

/**
 * The block of one arm from its sums: A + λI = L Lᵀ, M = L⁻¹, θ by substitution. Row block after row block (four rows), so that
 * what is needed of earlier rows is still near; every entry is added up in ascending order of k, one term after the other, so that
 * src/cholesky.ts, which walks in another order, has the same bits.
 *
 * All addresses are of float64. `packed`: A by rows; `L`: of a row block I its 4(I + 1) columns of four entries; `N`: M by rows, of a
 * row block I four rows of 4(I + 1) entries; `reciprocals` and `y`: one entry a row, filled up to a multiple of four; `out`: the block,
 * as in src/arm-block.ts.
 *
 * Returns 0, or 1 + the row whose pivot is not finite and above λ/2; that pivot is then at `y`.
 */
export function factor(
	d: i32,
	ridge: f64,
	packed: usize,
	b: usize,
	L: usize,
	N: usize,
	reciprocals: usize,
	y: usize,
	out: usize,
): i32 {
	const blocks = (d + 3) >> 2;
	const M = out + ((<usize>blocks) << 5);
	const least: f64 = Math.max(0, ridge * 0.5);
	layOut(d, blocks, ridge, packed, L);
	for (let i = d; i < blocks << 2; i++) store<f64>(b + ((<usize>i) << 3), 0);
	for (let I: i32 = 0; I < blocks; I++) {
		for (let J: i32 = 0; J < I; J++) offDiagonal(I, J, L, reciprocals);
		const failed = diagonal(I, least, L, reciprocals, y);
		if (failed) return failed;
		for (let J: i32 = 0; J < I; J++)
			invertOffDiagonal(I, J, L, N, M, reciprocals);
		invertDiagonal(I, L, N, M, reciprocals);
		forward(I, L, reciprocals, b, y);
	}
	backward(blocks, L, reciprocals, y, out);
	clearPadding(d, blocks, M);
	return 0;
}

/** A + λI in row blocks; rows after the last have a diagonal that no check of pivots stops at, and zeros. */
function layOut(
	d: i32,
	blocks: i32,
	ridge: f64,
	packed: usize,
	L: usize,
): void {
	for (let i: i32 = 0; i < blocks << 2; i++) {
		let lane = rowBlock(L, i >> 2) + ((<usize>(i & 3)) << 3);
		if (i < d) {
			for (let j: i32 = 0; j < i; j++, lane += 32, packed += 8)
				store<f64>(lane, load<f64>(packed));
			store<f64>(lane, load<f64>(packed) + ridge);
			packed += 8;
		} else {
			for (let j: i32 = 0; j < i; j++, lane += 32) store<f64>(lane, 0);
			store<f64>(lane, Math.max(1, ridge));
		}
	}
}
