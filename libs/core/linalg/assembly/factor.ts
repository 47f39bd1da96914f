/**
 * The block of one arm from its sums: A + λI = L Lᵀ, M = L⁻¹, θ = M ᵀM b by substitution. Row block after row block (four rows), so that
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

/** Where row block I begins, of `base`: 16 (1 + … + I) entries before it. */
function rowBlock(base: usize, I: i32): usize {
	return base + ((<usize>I * (I + 1)) << 6);
}

/** Where row block I of M begins in a block: before it 16 K + 12 entries of each earlier one. */
function outBlock(M: usize, I: i32): usize {
	return M + ((<usize>I * (2 * I + 1)) << 5);
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

function minus(sum: v128, l: v128, k: v128): v128 {
	return f64x2.sub(sum, f64x2.mul(l, k));
}

/** Tile (I, J), J < I, of L: what is left of A after all earlier columns, then solved with the tile on the diagonal of J. */
function offDiagonal(I: i32, J: i32, L: usize, reciprocals: usize): void {
	let p = rowBlock(L, I);
	let q = rowBlock(L, J);
	const tile = p + ((<usize>J) << 7);
	// Columns 0 to 3 of the tile; a: rows 0 and 1, b: rows 2 and 3.
	let a0 = v128.load(tile);
	let b0 = v128.load(tile, 16);
	let a1 = v128.load(tile, 32);
	let b1 = v128.load(tile, 48);
	let a2 = v128.load(tile, 64);
	let b2 = v128.load(tile, 80);
	let a3 = v128.load(tile, 96);
	let b3 = v128.load(tile, 112);
	for (; p < tile; p += 32, q += 32) {
		const u = v128.load(p);
		const v = v128.load(p, 16);
		const l0 = v128.load_splat<f64>(q);
		a0 = minus(a0, u, l0);
		b0 = minus(b0, v, l0);
		const l1 = v128.load_splat<f64>(q, 8);
		a1 = minus(a1, u, l1);
		b1 = minus(b1, v, l1);
		const l2 = v128.load_splat<f64>(q, 16);
		a2 = minus(a2, u, l2);
		b2 = minus(b2, v, l2);
		const l3 = v128.load_splat<f64>(q, 24);
		a3 = minus(a3, u, l3);
		b3 = minus(b3, v, l3);
	}
	// q is now at the tile on the diagonal of J.
	const r = reciprocals + ((<usize>J) << 5);
	const r0 = v128.load_splat<f64>(r);
	a0 = f64x2.mul(a0, r0);
	b0 = f64x2.mul(b0, r0);
	const l10 = v128.load_splat<f64>(q, 8);
	const r1 = v128.load_splat<f64>(r, 8);
	a1 = f64x2.mul(minus(a1, a0, l10), r1);
	b1 = f64x2.mul(minus(b1, b0, l10), r1);
	const l20 = v128.load_splat<f64>(q, 16);
	const l21 = v128.load_splat<f64>(q, 48);
	const r2 = v128.load_splat<f64>(r, 16);
	a2 = f64x2.mul(minus(minus(a2, a0, l20), a1, l21), r2);
	b2 = f64x2.mul(minus(minus(b2, b0, l20), b1, l21), r2);
	const l30 = v128.load_splat<f64>(q, 24);
	const l31 = v128.load_splat<f64>(q, 56);
	const l32 = v128.load_splat<f64>(q, 88);
	const r3 = v128.load_splat<f64>(r, 24);
	a3 = f64x2.mul(minus(minus(minus(a3, a0, l30), a1, l31), a2, l32), r3);
	b3 = f64x2.mul(minus(minus(minus(b3, b0, l30), b1, l31), b2, l32), r3);
	v128.store(tile, a0);
	v128.store(tile, b0, 16);
	v128.store(tile, a1, 32);
	v128.store(tile, b1, 48);
	v128.store(tile, a2, 64);
	v128.store(tile, b2, 80);
	v128.store(tile, a3, 96);
	v128.store(tile, b3, 112);
}

/** The tile on the diagonal of I: its lower triangle of ten numbers. */
function diagonal(
	I: i32,
	least: f64,
	L: usize,
	reciprocals: usize,
	y: usize,
): i32 {
	let p = rowBlock(L, I);
	const tile = p + ((<usize>I) << 7);
	let a0 = v128.load(tile);
	let b0 = v128.load(tile, 16);
	let a1 = v128.load(tile, 32);
	let b1 = v128.load(tile, 48);
	let b2 = v128.load(tile, 80);
	let b3 = v128.load(tile, 112);
	for (; p < tile; p += 32) {
		const u = v128.load(p);
		const v = v128.load(p, 16);
		const l0 = v128.load_splat<f64>(p);
		a0 = minus(a0, u, l0);
		b0 = minus(b0, v, l0);
		const l1 = v128.load_splat<f64>(p, 8);
		a1 = minus(a1, u, l1);
		b1 = minus(b1, v, l1);
		b2 = minus(b2, v, v128.load_splat<f64>(p, 16));
		b3 = minus(b3, v, v128.load_splat<f64>(p, 24));
	}
	const r = reciprocals + ((<usize>I) << 5);
	const s00 = f64x2.extract_lane(a0, 0);
	if (!isPivot(s00, least)) return failure(I << 2, s00, y);
	const l00 = Math.sqrt(s00);
	const r0: f64 = 1 / l00;
	const l10 = f64x2.extract_lane(a0, 1) * r0;
	const l20 = f64x2.extract_lane(b0, 0) * r0;
	const l30 = f64x2.extract_lane(b0, 1) * r0;
	const s11 = f64x2.extract_lane(a1, 1) - l10 * l10;
	if (!isPivot(s11, least)) return failure((I << 2) + 1, s11, y);
	const l11 = Math.sqrt(s11);
	const r1: f64 = 1 / l11;
	const l21 = (f64x2.extract_lane(b1, 0) - l20 * l10) * r1;
	const l31 = (f64x2.extract_lane(b1, 1) - l30 * l10) * r1;
	const s22 = f64x2.extract_lane(b2, 0) - l20 * l20 - l21 * l21;
	if (!isPivot(s22, least)) return failure((I << 2) + 2, s22, y);
	const l22 = Math.sqrt(s22);
	const r2: f64 = 1 / l22;
	const l32 = (f64x2.extract_lane(b2, 1) - l30 * l20 - l31 * l21) * r2;
	const s33 = f64x2.extract_lane(b3, 1) - l30 * l30 - l31 * l31 - l32 * l32;
	if (!isPivot(s33, least)) return failure((I << 2) + 3, s33, y);
	const l33 = Math.sqrt(s33);
	store<f64>(tile, l00);
	store<f64>(tile, l10, 8);
	store<f64>(tile, l20, 16);
	store<f64>(tile, l30, 24);
	store<f64>(tile, l11, 40);
	store<f64>(tile, l21, 48);
	store<f64>(tile, l31, 56);
	store<f64>(tile, l22, 80);
	store<f64>(tile, l32, 88);
	store<f64>(tile, l33, 120);
	store<f64>(r, r0);
	store<f64>(r, r1, 8);
	store<f64>(r, r2, 16);
	store<f64>(r, 1 / l33, 24);
	return 0;
}

function isPivot(value: f64, least: f64): bool {
	return value > least && value < Infinity;
}

function failure(row: i32, pivot: f64, y: usize): i32 {
	store<f64>(y, pivot);
	return row + 1;
}

function plus(sum: v128, l: v128, n: v128): v128 {
	return f64x2.add(sum, f64x2.mul(l, n));
}

/** Tile (I, J), J < I, of M: M_ij = −(Σ_{j ≤ k < i} L_ik M_kj) / L_ii. Lanes are columns here. */
function invertOffDiagonal(
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
function invertDiagonal(
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

/** Rows of block I of y in L y = b. */
function forward(
	I: i32,
	L: usize,
	reciprocals: usize,
	b: usize,
	y: usize,
): void {
	let p = rowBlock(L, I);
	const tile = p + ((<usize>I) << 7);
	const rows = (<usize>I) << 5;
	let u = v128.load(b + rows);
	let v = v128.load(b + rows, 16);
	for (let k = y; p < tile; p += 32, k += 8) {
		const yk = v128.load_splat<f64>(k);
		u = minus(u, v128.load(p), yk);
		v = minus(v, v128.load(p, 16), yk);
	}
	const r = reciprocals + rows;
	const y0 = f64x2.extract_lane(u, 0) * load<f64>(r);
	const y1 =
		(f64x2.extract_lane(u, 1) - load<f64>(tile, 8) * y0) * load<f64>(r, 8);
	const y2 =
		(f64x2.extract_lane(v, 0) -
			load<f64>(tile, 16) * y0 -
			load<f64>(tile, 48) * y1) *
		load<f64>(r, 16);
	const y3 =
		(f64x2.extract_lane(v, 1) -
			load<f64>(tile, 24) * y0 -
			load<f64>(tile, 56) * y1 -
			load<f64>(tile, 88) * y2) *
		load<f64>(r, 24);
	store<f64>(y + rows, y0);
	store<f64>(y + rows, y1, 8);
	store<f64>(y + rows, y2, 16);
	store<f64>(y + rows, y3, 24);
}

/** θ of Lᵀθ = y: the last row first; each θ_i is taken out of all y_j before it. */
function backward(
	blocks: i32,
	L: usize,
	reciprocals: usize,
	y: usize,
	theta: usize,
): void {
	for (let I = blocks - 1; I >= 0; I--) {
		let p = rowBlock(L, I);
		const tile = p + ((<usize>I) << 7);
		const rows = (<usize>I) << 5;
		const r = reciprocals + rows;
		const t3 = load<f64>(y + rows, 24) * load<f64>(r, 24);
		const t2 =
			(load<f64>(y + rows, 16) - load<f64>(tile, 88) * t3) * load<f64>(r, 16);
		const t1 =
			(load<f64>(y + rows, 8) -
				load<f64>(tile, 56) * t3 -
				load<f64>(tile, 48) * t2) *
			load<f64>(r, 8);
		const t0 =
			(load<f64>(y + rows) -
				load<f64>(tile, 24) * t3 -
				load<f64>(tile, 16) * t2 -
				load<f64>(tile, 8) * t1) *
			load<f64>(r);
		store<f64>(theta + rows, t0);
		store<f64>(theta + rows, t1, 8);
		store<f64>(theta + rows, t2, 16);
		store<f64>(theta + rows, t3, 24);
		const s0 = f64x2.splat(t0);
		const s1 = f64x2.splat(t1);
		const s2 = f64x2.splat(t2);
		const s3 = f64x2.splat(t3);
		for (let j = y; p < tile; p += 64, j += 16) {
			const a0 = v128.load(p);
			const b0 = v128.load(p, 16);
			const a1 = v128.load(p, 32);
			const b1 = v128.load(p, 48);
			let left = v128.load(j);
			left = minus(left, v128.shuffle<f64>(b0, b1, 1, 3), s3);
			left = minus(left, v128.shuffle<f64>(b0, b1, 0, 2), s2);
			left = minus(left, v128.shuffle<f64>(a0, a1, 1, 3), s1);
			left = minus(left, v128.shuffle<f64>(a0, a1, 0, 2), s0);
			v128.store(j, left);
		}
	}
}

/** Rows after the last are zeros in a block. */
function clearPadding(d: i32, blocks: i32, M: usize): void {
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
