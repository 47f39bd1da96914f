import type { Policy } from "#core/experiment";

/**
 * Weight of a time bucket at read time: 2^(−age/halfLife), 0 beyond the sliding window, 1 without either.
 * Age is counted in whole buckets from the decision's reference bucket, so that a decision can be derived again from its log row.
 */
export function decayWeight(
	policy: Policy,
	bucket: number,
	referenceBucket: number,
	bucketMs: number,
): number {
	const ageMs = Math.max(0, referenceBucket - bucket) * bucketMs;
	if (policy.slidingWindowMs !== undefined && ageMs >= policy.slidingWindowMs)
		return 0;
	return policy.halfLifeMs === undefined
		? 1
		: 2 ** (-ageMs / policy.halfLifeMs);
}
