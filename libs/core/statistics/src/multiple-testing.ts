/**
 * p-values of several tests, adjusted so that each may be compared with the α of all of them: a list of p in [0, 1] → a list of the same
 * length and order, each at most 1. An empty list stays empty. Throws RangeError for what is no p-value.
 */

/** p·m: no false alarm among m tests with probability 1 − α, whatever their dependence. Dunn 1961. Confidence intervals: at α/m. */
export function bonferroni(p: readonly number[]): number[] {
	return checked(p).map((value) => Math.min(1, value * p.length));
}

/** The same promise, never weaker: the k-th smallest p times m − k + 1, made to rise. Holm 1979. */
export function holm(p: readonly number[]): number[] {
	let highest = 0;
	return inOrder(checked(p), (value, rank) => {
		highest = Math.max(highest, value * (p.length - rank));
		return Math.min(1, highest);
	});
}

/**
 * Among those declared, at most a share α is false on average, for independent or positively dependent tests: the k-th smallest p times
 * m/k, made to rise. Benjamini & Hochberg 1995.
 */
export function benjaminiHochberg(p: readonly number[]): number[] {
	let lowest = 1;
	return inOrder(
		checked(p),
		(value, rank) => {
			lowest = Math.min(lowest, (value * p.length) / (rank + 1));
			return lowest;
		},
		"falling",
	);
}

/** Adjusts in the order of p (rank 0: the smallest) and gives the results back in the order of the list. */
function inOrder(
	p: readonly number[],
	adjust: (value: number, rank: number) => number,
	order: "rising" | "falling" = "rising",
): number[] {
	const byValue = [...p.keys()].sort(
		(i, j) => (p[i] as number) - (p[j] as number),
	);
	const ranks = [...byValue.keys()];
	if (order === "falling") ranks.reverse();
	const adjusted = p.slice();
	for (const rank of ranks) {
		const at = byValue[rank] as number;
		adjusted[at] = adjust(p[at] as number, rank);
	}
	return adjusted;
}

function checked(p: readonly number[]): readonly number[] {
	for (const value of p)
		if (!(value >= 0 && value <= 1))
			throw new RangeError(`A p-value lies in [0, 1]; one is ${value}.`);
	return p;
}
