import { ROWS } from "./arm-block.js";

/**
 * What ../assembly/score.ts does, addition by addition, so that both have the same bits: for machines without WebAssembly SIMD and for
 * what the kernel's memory does not hold. `x` is filled up with zeros to whole blocks of rows.
 */
export function scoreTwin(
	values: Float64Array,
	x: Float64Array,
	padded: number,
): { readonly mean: number; readonly width: number } {
	let s0 = 0;
	let s1 = 0;
	let s2 = 0;
	let s3 = 0;
	for (let j = 0; j < padded; j += ROWS) {
		s0 += (values[j] as number) * (x[j] as number);
		s1 += (values[j + 1] as number) * (x[j + 1] as number);
		s2 += (values[j + 2] as number) * (x[j + 2] as number);
		s3 += (values[j + 3] as number) * (x[j + 3] as number);
	}
	return {
		mean: s0 + s2 + (s1 + s3),
		width: Math.sqrt(normSquared(values, x, padded)),
	};
}

function normSquared(
	values: Float64Array,
	x: Float64Array,
	padded: number,
): number {
	let q0 = 0;
	let q1 = 0;
	let at = padded;
	for (let first = 0; first < padded; first += ROWS) {
		let y0 = 0;
		let y1 = 0;
		let y2 = 0;
		let y3 = 0;
		for (let j = 0; j < first; j += ROWS, at += ROWS * ROWS) {
			const x0 = x[j] as number;
			const x1 = x[j + 1] as number;
			const x2 = x[j + 2] as number;
			const x3 = x[j + 3] as number;
			y0 += (values[at] as number) * x0 + (values[at + 4] as number) * x1;
			y0 += (values[at + 8] as number) * x2 + (values[at + 12] as number) * x3;
			y1 += (values[at + 1] as number) * x0 + (values[at + 5] as number) * x1;
			y1 += (values[at + 9] as number) * x2 + (values[at + 13] as number) * x3;
			y2 += (values[at + 2] as number) * x0 + (values[at + 6] as number) * x1;
			y2 += (values[at + 10] as number) * x2 + (values[at + 14] as number) * x3;
			y3 += (values[at + 3] as number) * x0 + (values[at + 7] as number) * x1;
			y3 += (values[at + 11] as number) * x2 + (values[at + 15] as number) * x3;
		}
		// The tile on the diagonal; its last two columns have two entries.
		const x0 = x[first] as number;
		const x1 = x[first + 1] as number;
		const x2 = x[first + 2] as number;
		const x3 = x[first + 3] as number;
		y0 += (values[at] as number) * x0 + (values[at + 4] as number) * x1;
		y1 += (values[at + 1] as number) * x0 + (values[at + 5] as number) * x1;
		y2 += (values[at + 2] as number) * x0 + (values[at + 6] as number) * x1;
		y3 += (values[at + 3] as number) * x0 + (values[at + 7] as number) * x1;
		y2 += (values[at + 8] as number) * x2 + (values[at + 10] as number) * x3;
		y3 += (values[at + 9] as number) * x2 + (values[at + 11] as number) * x3;
		at += ROWS * ROWS - 4;
		q0 += y0 * y0 + y2 * y2;
		q1 += y1 * y1 + y3 * y3;
	}
	return q0 + q1;
}
