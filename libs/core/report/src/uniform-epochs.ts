import type { BookedCounts } from "#core/booking";

/** What control is given, by epoch of the analysis: `uniform`, or an arm. */
export type Baselines = ReadonlyMap<number, string>;

/**
 * The epochs in which control's arms were drawn uniformly, with all that is counted by epoch: an edit of the baseline begins an epoch, and
 * where control is always given one arm its decisions tell nothing of the others.
 */
export function uniformEpochs(
	booked: BookedCounts,
	baselineOf: Baselines,
): BookedCounts {
	const isUniform = ({ epoch }: { readonly epoch: number }) =>
		baselineOf.get(epoch) === "uniform";
	return {
		...booked,
		epochs: booked.epochs.filter(isUniform),
		hours: booked.hours.filter(isUniform),
		draws: booked.draws.filter(isUniform),
	};
}

/** The arm that control was always given, the last of several; null where there was an epoch in which it was drawn. */
export function fixedBaseline(baselineOf: Baselines): string | null {
	const baselines = [...baselineOf.values()];
	return baselines.includes("uniform") ? null : (baselines.at(-1) ?? null);
}
