import { type Difference, FoldedSums } from "#usecases/learning";
import type { RetainedLog } from "./ports.js";

const PAGE = 2_000;
/** An erasure in the middle makes the proof anew, so often. */
const MOST_TRIES = 5;

export interface ProvenDay {
	readonly decisions: number;
	/** Experiments that the day has decisions of. */
	readonly experiments: readonly string[];
	readonly differences: readonly Difference[];
}

/**
 * Folds a day for the last time and compares it with the sums that will stay for it: once it is dropped, nobody can. The day is behind
 * the horizon, so that only erasures change it. Null where they did so each time; rejects with the signal's reason.
 */
export async function proveDay(
	log: RetainedLog,
	day: string,
	signal?: AbortSignal,
): Promise<ProvenDay | null> {
	for (let tries = 1; tries <= MOST_TRIES; tries++) {
		const before = await log.floors();
		const folded = new FoldedSums();
		const experiments = new Set<string>();
		let decisions = 0;
		for (let after: string | null = null; ; ) {
			signal?.throwIfAborted();
			const page = await log.page(day, after, PAGE);
			for (const state of page) {
				folded.add(state);
				experiments.add(state.row.experiment);
			}
			decisions += page.length;
			if (page.length < PAGE) break;
			after = page.at(-1)?.row.id ?? null;
		}
		const differences = folded.compare(await log.storedSums(day));
		if (before === (await log.floors()))
			return { decisions, experiments: [...experiments].sort(), differences };
	}
	return null;
}
