import { median } from "../support/median.js";
import type { RatioRow } from "../support/ratio-row.js";

/**
 * What a pair costs with more rows in the log, from pairs a second of each round. Medians of both: rounds that are compared with something
 * else of their own minute are not those to be compared with each other.
 */
export function timeOfAPair(
	fewer: readonly number[],
	more: readonly number[],
): RatioRow {
	const [ours, baseline] = [1e6 / median(more), 1e6 / median(fewer)];
	return {
		name: "time of a pair, more rows",
		unit: "µs",
		against: "fewer rows",
		...{ ours, baseline, ratio: ours / baseline },
	};
}
