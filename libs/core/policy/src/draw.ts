/** The index drawn by inverse CDF with u in [0, 1). An arm of probability 0 is never returned, whatever rounding does to the last sum. */
export function draw(propensities: Float64Array, u: number): number {
	let cumulated = 0;
	let last = -1;
	for (let a = 0; a < propensities.length; a++) {
		const p = propensities[a] as number;
		if (p <= 0) continue;
		cumulated += p;
		last = a;
		if (u < cumulated) return a;
	}
	if (last < 0)
		throw new RangeError(
			"A distribution without any probability cannot be drawn from.",
		);
	return last;
}
