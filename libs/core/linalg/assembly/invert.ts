import { plus, rowBlock } from "./row-block";

/** Where row block I of M begins in a block: before it 16 K + 12 entries of each earlier one. */
function outBlock(M: usize, I: i32): usize {
	return M + ((<usize>I * (2 * I + 1)) << 5);
}

/** Tile (I, J), J < I, of M: M_ij = −(Σ_{j ≤ k < i} L_ik M_kj) / L_ii. Lanes are columns here. */
export function invertOffDiagonal(
	I: i32,
	J: i32,
	L: usize,
	N: usize,
	M: usize,
	reciprocals: usize,
): void {
	const columns = (<usize>J) << 5;
	let p = rowBlock(L, I) + ((<usize>J) << 7);
	// Rows 0 to 3 of the tile; a: columns 0 and 1, b: columns 2 and 3.
	let a0 = f64x2.splat(0);
	let b0 = f64x2.splat(0);
	let a1 = f64x2.splat(0);
	let b1 = f64x2.splat(0);
	let a2 = f64x2.splat(0);
	let b2 = f64x2.splat(0);
	let a3 = f64x2.splat(0);
	let b3 = f64x2.splat(0);
	for (let K = J; K < I; K++) {
		const rowBytes = (<usize>(K + 1)) << 5;
		let n = rowBlock(N, K) + columns;
		for (const end = p + 128; p < end; p += 32, n += rowBytes) {
			const u = v128.load(n);
			const v = v128.load(n, 16);
			const l0 = v128.load_splat<f64>(p);
			a0 = plus(a0, l0, u);
			b0 = plus(b0, l0, v);
			const l1 = v128.load_splat<f64>(p, 8);
			a1 = plus(a1, l1, u);
			b1 = plus(b1, l1, v);
			const l2 = v128.load_splat<f64>(p, 16);
			a2 = plus(a2, l2, u);
			b2 = plus(b2, l2, v);
			const l3 = v128.load_splat<f64>(p, 24);
			a3 = plus(a3, l3, u);
			b3 = plus(b3, l3, v);
		}
	}
	// p is now at the tile on the diagonal of I.
	const r = reciprocals + ((<usize>I) << 5);
	const r0 = v128.load_splat<f64>(r);
	a0 = f64x2.neg(f64x2.mul(a0, r0));
	b0 = f64x2.neg(f64x2.mul(b0, r0));
	const l10 = v128.load_splat<f64>(p, 8);
	const r1 = v128.load_splat<f64>(r, 8);
	a1 = f64x2.neg(f64x2.mul(plus(a1, l10, a0), r1));
	b1 = f64x2.neg(f64x2.mul(plus(b1, l10, b0), r1));
	const l20 = v128.load_splat<f64>(p, 16);
	const l21 = v128.load_splat<f64>(p, 48);
	const r2 = v128.load_splat<f64>(r, 16);
	a2 = f64x2.neg(f64x2.mul(plus(plus(a2, l20, a0), l21, a1), r2));
	b2 = f64x2.neg(f64x2.mul(plus(plus(b2, l20, b0), l21, b1), r2));
	const l30 = v128.load_splat<f64>(p, 24);
	const l31 = v128.load_splat<f64>(p, 56);
	const l32 = v128.load_splat<f64>(p, 88);
	const r3 = v128.load_splat<f64>(r, 24);
	a3 = f64x2.neg(
		f64x2.mul(plus(plus(plus(a3, l30, a0), l31, a1), l32, a2), r3),
	);
	b3 = f64x2.neg(
		f64x2.mul(plus(plus(plus(b3, l30, b0), l31, b1), l32, b2), r3),
	);
	storeTile(I, J, N, M, a0, b0, a1, b1, a2, b2, a3, b3);
}

/** The tile on the diagonal of I of M, by the same formula. */
export function invertDiagonal(
	I: i32,
	L: usize,
	N: usize,
	M: usize,
	reciprocals: usize,
): void {
	const tile = rowBlock(L, I) + ((<usize>I) << 7);
	const r = reciprocals + ((<usize>I) << 5);
	const l10 = load<f64>(tile, 8);
	const l20 = load<f64>(tile, 16);
	const l30 = load<f64>(tile, 24);
	const l21 = load<f64>(tile, 48);
	const l31 = load<f64>(tile, 56);
	const l32 = load<f64>(tile, 88);
	const m00 = load<f64>(r);
	const m11 = load<f64>(r, 8);
	const m22 = load<f64>(r, 16);
	const m33 = load<f64>(r, 24);
	const m10 = -((0.0 + l10 * m00) * m11);
	const m20 = -((0.0 + l20 * m00 + l21 * m10) * m22);
	const m30 = -((0.0 + l30 * m00 + l31 * m10 + l32 * m20) * m33);
	const m21 = -((0.0 + l21 * m11) * m22);
	const m31 = -((0.0 + l31 * m11 + l32 * m21) * m33);
	const m32 = -((0.0 + l32 * m22) * m33);
	storeTile(
		I,
		I,
		N,
		M,
		pair(m00, 0),
		f64x2.splat(0),
		pair(m10, m11),
		f64x2.splat(0),
		pair(m20, m21),
		pair(m22, 0),
		pair(m30, m31),
		pair(m32, m33),
	);
}

function pair(first: f64, second: f64): v128 {
	return f64x2.replace_lane(f64x2.splat(first), 1, second);
}

/** Rows into N as they are, columns into M. */
function storeTile(
	I: i32,
	J: i32,
	N: usize,
	M: usize,
	a0: v128,
	b0: v128,
	a1: v128,
	b1: v128,
	a2: v128,
	b2: v128,
	a3: v128,
	b3: v128,
): void {
	const rowBytes = (<usize>(I + 1)) << 5;
	let n = rowBlock(N, I) + ((<usize>J) << 5);
	v128.store(n, a0);
	v128.store(n, b0, 16);
	n += rowBytes;
	v128.store(n, a1);
	v128.store(n, b1, 16);
	n += rowBytes;
	v128.store(n, a2);
	v128.store(n, b2, 16);
	n += rowBytes;
	v128.store(n, a3);
	v128.store(n, b3, 16);
	const m = outBlock(M, I) + ((<usize>J) << 7);
	v128.store(m, v128.shuffle<f64>(a0, a1, 0, 2));
	v128.store(m, v128.shuffle<f64>(a2, a3, 0, 2), 16);
	v128.store(m, v128.shuffle<f64>(a0, a1, 1, 3), 32);
	v128.store(m, v128.shuffle<f64>(a2, a3, 1, 3), 48);
	if (I === J) {
		v128.store(m, v128.shuffle<f64>(b2, b3, 0, 2), 64);
		v128.store(m, v128.shuffle<f64>(b2, b3, 1, 3), 80);
		return;
	}
	v128.store(m, v128.shuffle<f64>(b0, b1, 0, 2), 64);
	v128.store(m, v128.shuffle<f64>(b2, b3, 0, 2), 80);
	v128.store(m, v128.shuffle<f64>(b0, b1, 1, 3), 96);
	v128.store(m, v128.shuffle<f64>(b2, b3, 1, 3), 112);
}

/** Rows after the last are zeros in a block. */
export function clearPadding(d: i32, blocks: i32, M: usize): void {
	const columns = (blocks << 2) - 2;
	const block = outBlock(M, blocks - 1);
	for (let i = d; i < blocks << 2; i++) {
		const lane = (<usize>(i & 3)) << 3;
		let at = block + lane;
		for (let j: i32 = 0; j < columns; j++, at += 32) store<f64>(at, 0);
		if (lane < 16) continue;
		at -= 16;
		store<f64>(at, 0);
		store<f64>(at, 0, 16);
	}
}
