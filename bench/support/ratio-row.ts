/** One line of a benchmark: ours beside a baseline, measured in the same run. */
export interface RatioRow {
	readonly name: string;
	readonly ours: number;
	readonly baseline: number;
	/** ours / baseline. */
	readonly ratio: number;
	/** Of `ours` and `baseline`. */
	readonly unit: string;
	/** What the baseline is: `c`, `ml-matrix`, `js`, `fastify`, `inserts`, … */
	readonly against: string;
	/** Arms. */
	readonly K?: number;
	/** Coordinates of x. */
	readonly d?: number;
}

/**
 * The row of the round with the median ratio, so that its three numbers belong together; of an even number of rounds, the lower of the
 * two in the middle. Throws RangeError unless both sides measured the same number of rounds, at least one.
 */
export function medianRow(
	label: Omit<RatioRow, "ours" | "baseline" | "ratio">,
	ours: readonly number[],
	baseline: readonly number[],
): RatioRow {
	if (ours.length === 0 || ours.length !== baseline.length)
		throw new RangeError(
			`A ratio needs the same rounds of both sides, not ${ours.length} and ${baseline.length}.`,
		);
	const byRatio = ours
		.map((_, round) => round)
		.sort((a, b) => ratioOf(a) - ratioOf(b));
	const median = byRatio[(byRatio.length - 1) >> 1] as number;
	return {
		...label,
		ours: ours[median] as number,
		baseline: baseline[median] as number,
		ratio: ratioOf(median),
	};

	function ratioOf(round: number): number {
		return (ours[round] as number) / (baseline[round] as number);
	}
}
