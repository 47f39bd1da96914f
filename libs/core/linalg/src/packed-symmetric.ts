/** Symmetric d×d matrices as their lower triangle by rows in one Float64Array: entry (i, j), j ≤ i, at i(i+1)/2 + j. */

export function packedLength(d: number): number {
	return (d * (d + 1)) / 2;
}

export function packedIndex(i: number, j: number): number {
	return i >= j ? (i * (i + 1)) / 2 + j : (j * (j + 1)) / 2 + i;
}

/** A += weight · x xᵀ, where A begins at `offset` of `packed`. */
export function addOuter(
	packed: Float64Array,
	offset: number,
	x: Float64Array,
	weight: number,
): void {
	let k = offset;
	for (let i = 0; i < x.length; i++) {
		const xi = weight * (x[i] as number);
		for (let j = 0; j <= i; j++, k++)
			packed[k] = (packed[k] as number) + xi * (x[j] as number);
	}
}

/** The full matrix, row by row. */
export function unpack(packed: Float64Array, d: number): number[][] {
	return Array.from({ length: d }, (_, i) =>
		Array.from({ length: d }, (_, j) => packed[packedIndex(i, j)] as number),
	);
}
