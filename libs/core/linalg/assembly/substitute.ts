import { minus, rowBlock } from "./row-block";

/** Rows of block I of y in L y = b. */
export function forward(
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
export function backward(
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
