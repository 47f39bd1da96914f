import type {
	BookedCounts,
	BookedDegraded,
	BookedMoments,
	CovariateMoments,
} from "#core/booking";
import type { Metric } from "#core/metrics";
import { emptyScores, type ScoreSums } from "#core/statistics";

/** No run has so many epochs: an epoch's number in the whole is its run's times this, plus its own. */
const EPOCHS_A_RUN = 1_000_000;

/** Of which run and epoch, made one number that orders by run. */
export function stratumOf(run: number, epoch: number): number {
	return run * EPOCHS_A_RUN + epoch;
}

/**
 * The rollups of one analysis as one. Each epoch is a stratum of its own, so that groups are compared only with those of the same control
 * share. They are those of one run, since a run that was paused goes on where it was booked; but where it was paused under a Segue that
 * booked each run apart, each of these is a stratum. Ascending, at least one; a metric that a run did not have has nothing of it.
 */
export function overRuns(
	runs: readonly BookedCounts[],
	metrics: readonly Metric[],
): BookedCounts {
	const last = runs.at(-1) as BookedCounts;
	const strata = <T extends { readonly epoch: number }>(
		of: (run: BookedCounts) => readonly T[],
	): T[] =>
		runs.flatMap((run) =>
			of(run).map((one) => ({
				...one,
				epoch: stratumOf(run.run, one.epoch),
			})),
		);
	return {
		...last,
		metrics,
		epochs: strata((run) =>
			run.epochs.map((epoch) => ({
				...epoch,
				slices: epoch.slices.map((slice) => ({
					...slice,
					moments: inOrder(run.metrics, metrics, slice.moments, NO_MOMENTS),
					covariate: slice.covariate && {
						...slice.covariate,
						metrics: inOrder(
							run.metrics,
							metrics,
							slice.covariate.metrics,
							NO_PRODUCTS,
						),
					},
				})),
			})),
		),
		hours: strata(({ hours }) => hours).sort((a, b) => a.hour - b.hour),
		draws: strata(({ draws }) => draws),
		degraded: runs.map(({ degraded }) => degraded).reduce(addDegraded),
		looks: strata((run) =>
			run.looks.map((look) => ({
				...look,
				moments: inOrder(run.metrics, metrics, look.moments, NO_MOMENTS),
			})),
		).sort((a, b) => a.at - b.at),
		scores: runs.map(({ scores }) => scores).reduce(addScores),
	};
}

const NO_MOMENTS: BookedMoments = { units: 0, n: 0, c: 0, nn: 0, nc: 0, cc: 0 };
const NO_PRODUCTS: CovariateMoments["metrics"][number] = {
	n: 0,
	c: 0,
	xn: 0,
	xc: 0,
};

function inOrder<T>(
	own: readonly Metric[],
	wanted: readonly Metric[],
	values: readonly T[],
	nothing: T,
): readonly T[] {
	return wanted.map(({ name }) => {
		const place = own.findIndex((metric) => metric.name === name);
		return values[place] ?? nothing;
	});
}

function addDegraded(
	before: BookedDegraded,
	more: BookedDegraded,
): BookedDegraded {
	const parts = { ...before.parts };
	for (const [part, decisions] of Object.entries(more.parts))
		parts[part] = (parts[part] ?? 0) + decisions;
	return { decisions: before.decisions + more.decisions, parts };
}

function addScores(
	before: ReadonlyMap<string, ScoreSums>,
	more: ReadonlyMap<string, ScoreSums>,
): ReadonlyMap<string, ScoreSums> {
	const all = new Map(before);
	for (const [arm, sums] of more) {
		const sum = { ...(all.get(arm) ?? emptyScores()) };
		for (const name of Object.keys(sums) as (keyof ScoreSums)[])
			sum[name] += sums[name];
		all.set(arm, sum);
	}
	return all;
}
