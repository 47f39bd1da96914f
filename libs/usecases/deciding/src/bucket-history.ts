import type { Policy } from "#core/experiment";
import { addInto, decayWeight } from "#core/policy";
import type { BucketSums } from "./ports.js";

/** One arm's sums per bucket, as a decider holds them. Immutable: a refresh makes a new one. */
export interface BucketHistory {
	/** Left fold over the buckets up to `floor`, oldest first; null where there are none or they weigh nothing. */
	readonly merged: Float64Array | null;
	/** Newest bucket no longer held by itself; −∞ when all are. */
	readonly floor: number;
	/** Ascending by bucket, each beyond `floor`. */
	readonly recent: readonly BucketSums[];
}

export const emptyHistory: BucketHistory = {
	merged: null,
	floor: Number.NEGATIVE_INFINITY,
	recent: [],
};

/** How many buckets of an arm stay apart where the policy does not forget; older ones are merged. */
const KEPT_BUCKETS = 16;
/** A decider's clock may be a little behind the newest bucket learned. */
const CLOCK_MARGIN_BUCKETS = 2;

export function forgets(policy: Policy): boolean {
	return (
		policy.halfLifeMs !== undefined || policy.slidingWindowMs !== undefined
	);
}

/** Whether a change of this bucket can be taken in; where it cannot, the arm's whole history must be read again. */
export function isHeldApart(history: BucketHistory, bucket: number): boolean {
	return bucket > history.floor;
}

/** The history with one bucket's sums replaced or added. */
export function replaceBucket(
	history: BucketHistory,
	changed: BucketSums,
): BucketHistory {
	const recent = history.recent.filter(
		(held) => held.bucket !== changed.bucket,
	);
	recent.push(changed);
	recent.sort((a, b) => a.bucket - b.bucket);
	return { ...history, recent };
}

/**
 * Bounds a history without changing a bit of any total: a policy that does not forget weighs every bucket 1, so the oldest ones are
 * folded into one, in the order the total would add them; one that forgets drops those whose weight has become exactly 0.
 */
export function boundHistory(
	history: BucketHistory,
	policy: Policy,
	bucketMs: number,
): BucketHistory {
	if (!forgets(policy))
		return mergeOldest(history, history.recent.length - KEPT_BUCKETS);
	const newest = (history.recent.at(-1)?.bucket ?? 0) - CLOCK_MARGIN_BUCKETS;
	const weightless = history.recent.filter(
		({ bucket }) =>
			bucket < newest && decayWeight(policy, bucket, newest, bucketMs) === 0,
	);
	const last = weightless.at(-1);
	return last === undefined
		? history
		: {
				merged: null,
				floor: last.bucket,
				recent: history.recent.slice(weightless.length),
			};
}

function mergeOldest(history: BucketHistory, count: number): BucketHistory {
	if (count <= 0) return history;
	const oldest = history.recent.slice(0, count);
	const merged =
		history.merged?.slice() ?? new Float64Array(oldest[0]?.sums.length ?? 0);
	for (const { sums } of oldest) addInto(merged, sums);
	return {
		merged,
		floor: oldest.at(-1)?.bucket ?? history.floor,
		recent: history.recent.slice(count),
	};
}

/** Σ over buckets, ascending, each with its read-time weight: the sums a decision of `referenceBucket` is made with. Not to be written to. */
export function totalSums(
	history: BucketHistory,
	policy: Policy,
	referenceBucket: number,
	bucketMs: number,
	length: number,
): Float64Array {
	const [first] = history.recent;
	if (
		first !== undefined &&
		history.recent.length === 1 &&
		history.merged === null &&
		decayWeight(policy, first.bucket, referenceBucket, bucketMs) === 1
	)
		return first.sums;
	const total = history.merged?.slice() ?? new Float64Array(length);
	for (const { bucket, sums } of history.recent) {
		const weight = decayWeight(policy, bucket, referenceBucket, bucketMs);
		addInto(total, sums, weight);
	}
	return total;
}
