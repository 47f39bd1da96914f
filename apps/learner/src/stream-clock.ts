import type { Stream } from "#usecases/ingesting";

/**
 * Up to when all that was stored in the stream is learned: the present where nothing of it waits, else when the newest message learned was
 * stored. So after an outage no window is over before its events are learned.
 */
export class StreamClock {
	#learnedUpTo = Number.NEGATIVE_INFINITY;

	constructor(private readonly stream: Pick<Stream, "backlog">) {}

	/** Told of every batch learned. What other lanes and learners have in hand may be older: graces are for that. */
	learned(messages: readonly { readonly storedAt: number }[]): void {
		for (const { storedAt } of messages)
			this.#learnedUpTo = Math.max(this.#learnedUpTo, storedAt);
	}

	/** Milliseconds since the epoch; null where messages wait and none was learned yet. */
	async now(): Promise<number | null> {
		const present = Date.now();
		if ((await this.stream.backlog()) === 0) return present;
		return Number.isFinite(this.#learnedUpTo) ? this.#learnedUpTo : null;
	}
}
