/**
 * Scores `arms` blocks against one x: means[a] = θᵀx, widths[a] = ‖Mx‖. `padded` is d rounded up to a multiple of four, x is filled up
 * with zeros to it, and `blocks` holds the address of each arm's block, in the layout of src/arm-block.ts.
 *
 * The order of every addition is part of the contract: src/score-twin.ts does the same one by one.
 */
export function score(
	arms: i32,
	padded: i32,
	x: usize,
	blocks: usize,
	means: usize,
	widths: usize,
): void {
	const rowBytes = (<usize>padded) << 3;
	for (let a: i32 = 0; a < arms; a++) {
		let at: usize = load<u32>(blocks);
		store<f64>(means, product(at, x, rowBytes));
		at += rowBytes;
		let q = f64x2.splat(0);
		for (let end = x + 32; end <= x + rowBytes; end += 32) {
			// Two accumulators of two rows each; four columns are added up before they join, so that neither waits for itself.
			let rows01 = f64x2.splat(0);
			let rows23 = f64x2.splat(0);
			for (let xs = x; xs < end; xs += 32) {
				// Loads are the bottleneck: two of x and four shuffles beat four loads that broadcast.
				const x01 = v128.load(xs);
				const x23 = v128.load(xs, 16);
				const x0 = v128.shuffle<f64>(x01, x01, 0, 0);
				const x1 = v128.shuffle<f64>(x01, x01, 1, 1);
				const x2 = v128.shuffle<f64>(x23, x23, 0, 0);
				const x3 = v128.shuffle<f64>(x23, x23, 1, 1);
				rows01 = f64x2.add(
					rows01,
					f64x2.add(
						f64x2.add(
							f64x2.mul(v128.load(at), x0),
							f64x2.mul(v128.load(at, 32), x1),
						),
						f64x2.add(
							f64x2.mul(v128.load(at, 64), x2),
							f64x2.mul(v128.load(at, 96), x3),
						),
					),
				);
				rows23 = f64x2.add(
					rows23,
					f64x2.add(
						f64x2.add(
							f64x2.mul(v128.load(at, 16), x0),
							f64x2.mul(v128.load(at, 48), x1),
						),
						f64x2.add(
							f64x2.mul(v128.load(at, 80), x2),
							f64x2.mul(v128.load(at, 112), x3),
						),
					),
				);
				at += 128;
			}
			q = f64x2.add(
				q,
				f64x2.add(f64x2.mul(rows01, rows01), f64x2.mul(rows23, rows23)),
			);
		}
		store<f64>(widths, Math.sqrt(laneSum(q)));
		blocks += 4;
		means += 8;
		widths += 8;
	}
}

/** θᵀx in four partial sums, one for every fourth coordinate. */
function product(theta: usize, x: usize, rowBytes: usize): f64 {
	let sums01 = f64x2.splat(0);
	let sums23 = f64x2.splat(0);
	for (const end = x + rowBytes; x < end; x += 32) {
		sums01 = f64x2.add(sums01, f64x2.mul(v128.load(theta), v128.load(x)));
		sums23 = f64x2.add(
			sums23,
			f64x2.mul(v128.load(theta, 16), v128.load(x, 16)),
		);
		theta += 32;
	}
	return laneSum(f64x2.add(sums01, sums23));
}

function laneSum(v: v128): f64 {
	return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}
