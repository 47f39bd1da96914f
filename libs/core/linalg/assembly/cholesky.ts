import { minus, rowBlock } from "./row-block";

/** Tile (I, J), J < I, of L: what is left of A after all earlier columns, then solved with the tile on the diagonal of J. */
export function offDiagonal(
	I: i32,
	J: i32,
	L: usize,
	reciprocals: usize,
): void {
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
export function diagonal(
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
