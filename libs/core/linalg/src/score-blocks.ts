import { type ArmBlock, paddedLength, ROWS } from "./arm-block.js";

/** θᵀx into means[a] and ‖Mx‖ into widths[a], for every block. */
export function scoreBlocks(
	arms: readonly { readonly block: ArmBlock }[],
	x: Float64Array,
	means: Float64Array,
	widths: Float64Array,
): void {
	for (let a = 0; a < arms.length; a++) {
		const { d, values } = (arms[a] as { block: ArmBlock }).block;
		let mean = 0;
		for (let j = 0; j < d; j++)
			mean += (values[j] as number) * (x[j] as number);
		means[a] = mean;
		let at = paddedLength(d);
		let q = 0;
		for (let first = 0; first < d; first += ROWS) {
			const columns = Math.min(first + ROWS, d);
			let y0 = 0;
			let y1 = 0;
			let y2 = 0;
			let y3 = 0;
			for (let j = 0; j < columns; j++, at += ROWS) {
				const xj = x[j] as number;
				y0 += (values[at] as number) * xj;
				y1 += (values[at + 1] as number) * xj;
				y2 += (values[at + 2] as number) * xj;
				y3 += (values[at + 3] as number) * xj;
			}
			q += y0 * y0 + y1 * y1 + (y2 * y2 + y3 * y3);
		}
		widths[a] = Math.sqrt(q);
	}
}
