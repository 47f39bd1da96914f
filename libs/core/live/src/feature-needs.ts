import type { LiveFeature, LiveKey } from "#core/experiment";

/** How far back events are needed: the longest window and its bucket. */
export function reachOf(features: readonly LiveFeature[]): number {
	const longest = Math.max(0, ...features.map(({ windowMs }) => windowMs));
	return longest + Math.ceil(longest / 10);
}

export function asksDecisions({ by }: LiveFeature): boolean {
	return by === "arm" || by === "experiment";
}

/** How far back a stream must be read for all that is in some window: events, and the decisions that they name. */
export function historyMs(features: readonly LiveFeature[]): number {
	return reachOf(features) * (features.some(asksDecisions) ? 2 : 1);
}

/**
 * How far back everything must have been heard for a feature's value to be whole: to its window's older edge, a twentieth beyond the
 * window at most, and the decisions that the events there may name.
 */
export function wholeAfterMs(
	feature: LiveFeature,
	features: readonly LiveFeature[],
): number {
	const edge = Math.ceil(1.05 * feature.windowMs);
	return asksDecisions(feature) ? edge + reachOf(features) : edge;
}

/** What is kept for a feature; whose key is read is no part of it. */
export function textOf({
	by,
	event,
	aggregate,
	of,
	windowMs,
}: LiveFeature): string {
	return `${aggregate} of ${of ?? "events"} ${event} by ${by} over ${windowMs} ms`;
}

export function byKind(
	features: readonly LiveFeature[],
): Map<LiveKey, LiveFeature[]> {
	const kinds = new Map<LiveKey, LiveFeature[]>();
	const known = new Set<string>();
	for (const feature of features) {
		if (known.has(textOf(feature))) continue;
		known.add(textOf(feature));
		kinds.set(feature.by, [...(kinds.get(feature.by) ?? []), feature]);
	}
	return kinds;
}
