import type { Reward } from "#core/experiment";
import type { Metric } from "#core/metrics";
import type { Range } from "#core/statistics";

const RATE: Range = [0, 1];
const COUNTED: Range = [0, Number.POSITIVE_INFINITY];

/** What a metric cannot pass: near an end of it a mean rests on a few events, and waits. */
export function rangeOf({ measure }: Metric, reward: Reward): Range {
	if (measure === "reward") return reachableRange(reward);
	return measure === "share" ? RATE : COUNTED;
}

/**
 * What one event of each listed type can make of the reward. The declared range is mostly the default, [−8, 8], which no decision reaches:
 * a mean near 0 would be far from both of its ends, however rare the events that make it.
 */
export function reachableRange({
	outcomes,
	default: otherwise,
	range: [least, most],
}: Reward): Range {
	let [low, high] = [otherwise, otherwise];
	for (const { value } of outcomes) {
		// The event's own value: anything that the range allows.
		if (value === undefined) return [least, most];
		low = Math.min(low, value, low + value);
		high = Math.max(high, value, high + value);
	}
	return [Math.max(least, low), Math.min(most, high)];
}
