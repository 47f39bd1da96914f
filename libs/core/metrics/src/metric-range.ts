import type { Reward } from "#core/experiment";
import type { Range } from "#core/statistics";
import type { Metric } from "./metric.js";

const RATE: Range = [0, 1];
const COUNTED: Range = [0, Number.POSITIVE_INFINITY];

/** What a metric cannot pass: near an end of it a mean rests on a few events, and waits. */
export function rangeOf({ measure }: Metric, reward: Reward): Range {
	if (measure === "reward") return reachableRange(reward);
	return measure === "share" ? RATE : COUNTED;
}

/**
 * What the listed outcomes can make of a reward. The declared range is mostly the default, [−8, 8], which no decision reaches: a mean near 0
 * would be far from both of its ends, however rare the events that make it. A sum takes every event, also many of one type, so it ends
 * where the declared range does on the side to which a value goes.
 */
export function reachableRange({
	outcomes,
	combine,
	default: otherwise,
	range: [least, most],
}: Reward): Range {
	const values = [otherwise];
	for (const { value } of outcomes) {
		// The event's own value: anything that the range allows.
		if (value === undefined) return [least, most];
		values.push(value);
	}
	const adds = combine === "sum";
	const earned = values.slice(1);
	return [
		adds && earned.some((value) => value < 0)
			? least
			: Math.max(least, Math.min(...values)),
		adds && earned.some((value) => value > 0)
			? most
			: Math.min(most, Math.max(...values)),
	];
}
