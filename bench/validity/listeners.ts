/** Who comes: the listener of each decision. */
export const LISTENERS = ["iid", "heavy", "growing", "heavy-first"] as const;
export type ListenerKind = (typeof LISTENERS)[number];

/** Tail of the activity of heavy listeners: of infinite variance. */
const PARETO_SHAPE = 1.2;
/** Share of all listeners that are there from the first decision on, where they arrive one after the other. */
const FIRST_SHARE = 0.05;

/**
 * Draws the listener of decision t of `decisions`, in order of t:
 * - iid: all alike, each with as much activity
 * - heavy: activity Pareto(1.2)
 * - growing: all alike, but they arrive through the whole run
 * - heavy-first: activity Pareto(1.2), and they arrive from the heaviest to the lightest
 */
export function listenerOf(
	kind: ListenerKind,
	units: number,
	decisions: number,
	random: () => number,
): (t: number) => number {
	const isHeavy = kind === "heavy" || kind === "heavy-first";
	const arrives = kind === "growing" || kind === "heavy-first";
	const activity = new Float64Array(units).fill(1);
	if (isHeavy)
		for (let u = 0; u < units; u++)
			activity[u] = (1 - random()) ** (-1 / PARETO_SHAPE);
	if (kind === "heavy-first") activity.sort().reverse();
	const upTo = cumulated(activity);
	return (t) => {
		const here = arrives
			? Math.ceil(units * (FIRST_SHARE + ((1 - FIRST_SHARE) * t) / decisions))
			: units;
		if (!isHeavy) return Math.floor(random() * here);
		return firstAbove(upTo, here, random() * (upTo[here - 1] as number));
	};
}

function cumulated(values: Float64Array): Float64Array {
	let sum = 0;
	return values.map((value) => {
		sum += value;
		return sum;
	});
}

/** Index of the first entry above `target` among the first `length`, which ascend. */
function firstAbove(
	ascending: Float64Array,
	length: number,
	target: number,
): number {
	let [low, high] = [0, length - 1];
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((ascending[middle] as number) > target) high = middle;
		else low = middle + 1;
	}
	return low;
}
