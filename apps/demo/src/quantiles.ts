/** The value below which a share `q` of the numbers lies (nearest rank); 0 where there are none. */
export function quantile(numbers: readonly number[], q: number): number {
	if (numbers.length === 0) return 0;
	const sorted = Float64Array.from(numbers).sort();
	return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}
