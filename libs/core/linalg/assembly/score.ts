/**
 * Scores `arms` blocks against one x: means[a] = θᵀx, widths[a] = ‖Mx‖. `padded` is d rounded up to a multiple of four, x is filled up
 * with zeros to it, and `blocks` holds the address of each arm's block, in the layout of src/arm-block.ts.
 *
 * The order of every addition is part of the contract: src/score-twin.ts does the same one by one.
 *
 * Loads are the bottleneck, two a cycle. So two arms share those of x; and no loop has more than ten, since V8 does all loads of a loop's
 * body first and runs out of registers beyond (30 % slower). Two arms leave room for loads that broadcast an entry of x, which is faster
 * than a shuffle; the loop over one arm is faster with shuffles.
 */
export function score(
	arms: i32,
	padded: i32,
	x: usize,
	blocks: usize,
	means: usize,
	widths: usize,
): void {
	const end = x + ((<usize>padded) << 3);
	let a: i32 = 0;
	for (; a + 2 <= arms; a += 2) {
		scoreTwo(load<u32>(blocks), load<u32>(blocks, 4), x, end, means, widths);
		blocks += 8;
		means += 16;
		widths += 16;
	}
	if (a < arms) scoreOne(load<u32>(blocks), x, end, means, widths);
}

function scoreTwo(
	p: usize,
	q: usize,
	x: usize,
	end: usize,
	means: usize,
	widths: usize,
): void {
	let pSums01 = f64x2.splat(0);
	let pSums23 = f64x2.splat(0);
	let qSums01 = f64x2.splat(0);
	let qSums23 = f64x2.splat(0);
	for (let xs = x; xs < end; xs += 32, p += 32, q += 32) {
		const x01 = v128.load(xs);
		const x23 = v128.load(xs, 16);
		pSums01 = f64x2.add(pSums01, f64x2.mul(v128.load(p), x01));
		pSums23 = f64x2.add(pSums23, f64x2.mul(v128.load(p, 16), x23));
		qSums01 = f64x2.add(qSums01, f64x2.mul(v128.load(q), x01));
		qSums23 = f64x2.add(qSums23, f64x2.mul(v128.load(q, 16), x23));
	}
	store<f64>(means, laneSum(f64x2.add(pSums01, pSums23)));
	store<f64>(means, laneSum(f64x2.add(qSums01, qSums23)), 8);
	let pNorm = f64x2.splat(0);
	let qNorm = f64x2.splat(0);
	// Four rows at once; the last two columns of the tile on the diagonal reach only two of them.
	for (let last = x + 16; last < end; last += 32) {
		let p01 = f64x2.splat(0);
		let p23 = f64x2.splat(0);
		let q01 = f64x2.splat(0);
		let q23 = f64x2.splat(0);
		let xs = x;
		for (; xs < last; xs += 16, p += 64, q += 64) {
			const x0 = v128.load_splat<f64>(xs);
			const x1 = v128.load_splat<f64>(xs, 8);
			p01 = f64x2.add(p01, columns(v128.load(p), x0, v128.load(p, 32), x1));
			p23 = f64x2.add(p23, columns(v128.load(p, 16), x0, v128.load(p, 48), x1));
			q01 = f64x2.add(q01, columns(v128.load(q), x0, v128.load(q, 32), x1));
			q23 = f64x2.add(q23, columns(v128.load(q, 16), x0, v128.load(q, 48), x1));
		}
		const x2 = v128.load_splat<f64>(xs);
		const x3 = v128.load_splat<f64>(xs, 8);
		p23 = f64x2.add(p23, columns(v128.load(p), x2, v128.load(p, 16), x3));
		q23 = f64x2.add(q23, columns(v128.load(q), x2, v128.load(q, 16), x3));
		p += 32;
		q += 32;
		pNorm = f64x2.add(pNorm, columns(p01, p01, p23, p23));
		qNorm = f64x2.add(qNorm, columns(q01, q01, q23, q23));
	}
	store<f64>(widths, Math.sqrt(laneSum(pNorm)));
	store<f64>(widths, Math.sqrt(laneSum(qNorm)), 8);
}

/** The last of an odd number of arms, by the same sums, four columns at once. */
function scoreOne(
	p: usize,
	x: usize,
	end: usize,
	means: usize,
	widths: usize,
): void {
	let sums01 = f64x2.splat(0);
	let sums23 = f64x2.splat(0);
	for (let xs = x; xs < end; xs += 32, p += 32) {
		sums01 = f64x2.add(sums01, f64x2.mul(v128.load(p), v128.load(xs)));
		sums23 = f64x2.add(sums23, f64x2.mul(v128.load(p, 16), v128.load(xs, 16)));
	}
	store<f64>(means, laneSum(f64x2.add(sums01, sums23)));
	let norm = f64x2.splat(0);
	for (let last = x; last < end; last += 32) {
		let y01 = f64x2.splat(0);
		let y23 = f64x2.splat(0);
		let xs = x;
		for (; xs < last; xs += 32, p += 128) {
			const x01 = v128.load(xs);
			const x23 = v128.load(xs, 16);
			const x0 = v128.shuffle<f64>(x01, x01, 0, 0);
			const x1 = v128.shuffle<f64>(x01, x01, 1, 1);
			const x2 = v128.shuffle<f64>(x23, x23, 0, 0);
			const x3 = v128.shuffle<f64>(x23, x23, 1, 1);
			y01 = f64x2.add(y01, columns(v128.load(p), x0, v128.load(p, 32), x1));
			y01 = f64x2.add(y01, columns(v128.load(p, 64), x2, v128.load(p, 96), x3));
			y23 = f64x2.add(y23, columns(v128.load(p, 16), x0, v128.load(p, 48), x1));
			y23 = f64x2.add(
				y23,
				columns(v128.load(p, 80), x2, v128.load(p, 112), x3),
			);
		}
		const x01 = v128.load(xs);
		const x23 = v128.load(xs, 16);
		const x0 = v128.shuffle<f64>(x01, x01, 0, 0);
		const x1 = v128.shuffle<f64>(x01, x01, 1, 1);
		const x2 = v128.shuffle<f64>(x23, x23, 0, 0);
		const x3 = v128.shuffle<f64>(x23, x23, 1, 1);
		y01 = f64x2.add(y01, columns(v128.load(p), x0, v128.load(p, 32), x1));
		y23 = f64x2.add(y23, columns(v128.load(p, 16), x0, v128.load(p, 48), x1));
		y23 = f64x2.add(y23, columns(v128.load(p, 64), x2, v128.load(p, 80), x3));
		p += 96;
		norm = f64x2.add(norm, columns(y01, y01, y23, y23));
	}
	store<f64>(widths, Math.sqrt(laneSum(norm)));
}

/** a·x + b·y: two columns are added up before they join a sum, which then waits half as often. */
function columns(a: v128, x: v128, b: v128, y: v128): v128 {
	return f64x2.add(f64x2.mul(a, x), f64x2.mul(b, y));
}

function laneSum(v: v128): f64 {
	return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}
