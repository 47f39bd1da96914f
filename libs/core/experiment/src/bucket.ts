import { renderDuration } from "./duration.js";
import type { Policy, Problem } from "./experiment.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WIDTHS = [
	24 * HOUR,
	12 * HOUR,
	6 * HOUR,
	HOUR,
	30 * MINUTE,
	10 * MINUTE,
	MINUTE,
];
/** A half-life or sliding window spans at least so many buckets, so that one weight a bucket is fine enough. */
const BUCKETS = 16;

/** The longest bucket that is at most 1/16 of halfLife and of slidingWindow (24 h without them), or why there is none. */
export function bucketMsFor(policy: Policy): number | Problem {
	for (const key of ["halfLife", "slidingWindow"] as const) {
		const span = policy[`${key}Ms`];
		if (span !== undefined && span < BUCKETS * MINUTE)
			return {
				path: `policy.${key}`,
				message: `${renderDuration(span)} is too short: the smallest time bucket is 1m, and ${key} must span 16 of them. Use 16m or more.`,
			};
	}
	const shortest = Math.min(
		policy.halfLifeMs ?? Infinity,
		policy.slidingWindowMs ?? Infinity,
	);
	return WIDTHS.find((width) => width * BUCKETS <= shortest) ?? MINUTE;
}
