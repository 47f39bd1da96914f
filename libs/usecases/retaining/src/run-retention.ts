import type { Difference } from "#usecases/learning";
import type { DayCounts, RetainedLog, SweptRows } from "./ports.js";
import { proveDay } from "./prove-day.js";

const DAY_MS = 86_400_000;
/** Merging and dropping a day is tried so often where erasures come in between. */
const MOST_TRIES = 20;

export interface RetainedDay extends DayCounts {
	readonly day: string;
}

export interface RetentionResult {
	/** Days before this one are, or would be, dropped. */
	readonly before: string;
	readonly dropped: readonly RetainedDay[];
	/** Days that were left as they are: their sums are not what their rows say, or erasures did not let it through. */
	readonly kept: readonly {
		readonly day: string;
		readonly why: string;
		readonly differences: readonly Difference[];
	}[];
	/** The newest revision that each touched experiment got. */
	readonly revisions: { readonly [experiment: string]: number };
	readonly swept: SweptRows;
	/** True where another process was doing it, so that nothing was done here. */
	readonly elsewhere: boolean;
}

const NOTHING_SWEPT: SweptRows = { requests: 0, deadLetters: 0, revisions: 0 };

/** The day that is the oldest of so many, today's included. */
export function oldestOf(days: number, now: number): string {
	return dayOf(now - (days - 1) * DAY_MS);
}

const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/**
 * Drops whole days of the log, oldest first. The horizon moves before anything else, so that a day stands still; each day is then folded
 * for the last time and compared with its sums, its shards are added up, and in one transaction its sums become the closed ones and its
 * rows go. A run that was ended half-way is completed by the next.
 */
export class RunRetention {
	constructor(
		private readonly log: RetainedLog,
		private readonly announce: (experiment: string, revision: number) => void,
		private readonly onProgress: (day: string) => void = () => {},
	) {}

	/**
	 * @param before a UTC day, `2026-01-05`; with `dryRun` nothing is changed and `dropped` says what would be
	 * @param signal ends it between two steps, with its reason as the rejection
	 */
	async execute(
		before: string,
		dryRun = false,
		signal?: AbortSignal,
	): Promise<RetentionResult> {
		const nothing: RetentionResult = {
			before,
			dropped: [],
			kept: [],
			revisions: {},
			swept: NOTHING_SWEPT,
			elsewhere: false,
		};
		const days = await this.log.days(before);
		if (dryRun) return { ...nothing, dropped: await this.#counts(days) };
		if (days.length === 0) return nothing;
		const done = await this.log.alone(() => this.#run(before, signal));
		return done ?? { ...nothing, elsewhere: true };
	}

	async #counts(days: readonly string[]): Promise<RetainedDay[]> {
		const counted: RetainedDay[] = [];
		for (const day of days)
			counted.push({ day, ...(await this.log.count(day)) });
		return counted;
	}

	async #run(before: string, signal?: AbortSignal): Promise<RetentionResult> {
		await this.log.moveHorizon(before);
		const dropped: RetainedDay[] = [];
		const kept: RetentionResult["kept"][number][] = [];
		const revisions = new Map<string, number>();
		for (const day of await this.log.days(before)) {
			this.onProgress(day);
			const outcome = await this.#close(day, revisions, signal);
			if ("why" in outcome) {
				kept.push(outcome);
				// A later day must not go before an earlier one: replay begins where the closed ones end.
				break;
			}
			dropped.push(outcome);
		}
		for (const [experiment, revision] of revisions)
			this.announce(experiment, revision);
		return {
			before,
			dropped,
			kept,
			revisions: Object.fromEntries(revisions),
			swept: await this.log.sweep(),
			elsewhere: false,
		};
	}

	async #close(
		day: string,
		revisions: Map<string, number>,
		signal?: AbortSignal,
	): Promise<RetainedDay | RetentionResult["kept"][number]> {
		const unbooked = await this.log.unbooked(day);
		if (unbooked.length > 0)
			return kept(
				day,
				`its decisions of ${unbooked.join(", ")} are not booked yet; it is tried again`,
			);
		const proven = await proveDay(this.log, day, signal);
		if (proven === null) return kept(day, "erasures changed it each time");
		if (proven.differences.length > 0)
			return kept(
				day,
				"its sums are not what its rows say; look at segue replay",
				proven.differences,
			);
		const counts = await this.log.count(day);
		for (let tries = 1; tries <= MOST_TRIES; tries++) {
			for (
				let merged = await this.log.mergeSome(day);
				merged.size > 0;
				merged = await this.log.mergeSome(day)
			) {
				signal?.throwIfAborted();
				for (const [key, revision] of merged) revisions.set(key, revision);
			}
			const done = await this.log.drop(day, counts, proven.experiments);
			if (done === null) continue;
			for (const [key, revision] of done.revisions)
				revisions.set(key, revision);
			return { day, ...counts };
		}
		return kept(day, "erasures came in between each time");
	}
}

function kept(
	day: string,
	why: string,
	differences: readonly Difference[] = [],
) {
	return { day, why, differences };
}
