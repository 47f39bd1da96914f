import type { Definition } from "#core/experiment";
import type { BookedReads } from "./ports.js";
import { ripeAfterMs } from "./ripe.js";

/** How booking of a running experiment stands. */
export interface WatchedBooking {
	readonly experiment: string;
	/** For how long decisions have waited since all that counts for them should have been learned; 0 where none does. */
	readonly lagSeconds: number;
	/** Decisions of the log that are not booked. */
	readonly waiting: number;
	/** Decisions that are in no score for having come or changed too late. */
	readonly unbooked: number;
}

export class WatchBookings {
	constructor(
		private readonly definitions: { all(): Promise<readonly Definition[]> },
		private readonly reads: Pick<BookedReads, "freshness">,
	) {}

	/** @param clock the stream's time, milliseconds */
	async execute(clock: number): Promise<readonly WatchedBooking[]> {
		const watched: WatchedBooking[] = [];
		for (const definition of await this.definitions.all()) {
			if (definition.state !== "running") continue;
			const { key } = definition.experiment;
			const { bookedUpTo, isPending, waiting, unbooked } =
				await this.reads.freshness(key);
			const lagMs =
				isPending && bookedUpTo !== null
					? clock - ripeAfterMs(definition) - bookedUpTo
					: 0;
			watched.push({
				experiment: key,
				lagSeconds: Math.max(0, lagMs) / 1_000,
				waiting,
				unbooked,
			});
		}
		return watched;
	}
}
