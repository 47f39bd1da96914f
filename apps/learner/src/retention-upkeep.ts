import {
	oldestOf,
	type RetentionResult,
	type RunRetention,
} from "#usecases/retaining";
import type { Log } from "../../boot/src/log.js";

const EVERY_MS = 10 * 60_000;
const FIRST_MS = 30_000;

/** Drops days of the log as they grow too old. Learners take turns; one that is at it goes on until its days are gone. */
export class RetentionUpkeep {
	#timer: NodeJS.Timeout | undefined;
	#running: Promise<void> = Promise.resolve();
	readonly #stop = new AbortController();

	constructor(
		private readonly retention: Pick<RunRetention, "execute">,
		/** Days that are kept, today's included. */
		private readonly days: number,
		private readonly log: Log,
	) {}

	start(): void {
		this.#wait(FIRST_MS);
	}

	/** Resolves when the step under way has ended; the next learner completes what was begun. */
	async stop(): Promise<void> {
		this.#stop.abort();
		clearTimeout(this.#timer);
		await this.#running;
	}

	#wait(ms: number): void {
		if (this.#stop.signal.aborted) return;
		this.#timer = setTimeout(() => {
			this.#running = this.#run().finally(() => this.#wait(EVERY_MS));
		}, ms);
	}

	async #run(): Promise<void> {
		try {
			this.#tell(
				await this.retention.execute(
					oldestOf(this.days, Date.now()),
					false,
					this.#stop.signal,
				),
			);
		} catch (error) {
			if (this.#stop.signal.aborted) return;
			this.log.warn(
				{ err: error },
				"Days of the log that are too old were not dropped; it is tried again in ten minutes",
			);
		}
	}

	#tell({ dropped, kept, swept }: RetentionResult): void {
		for (const { day, decisions } of dropped)
			this.log.info(
				`Dropped ${day} from the log, ${decisions} decisions; their sums stay`,
			);
		for (const { day, why } of kept)
			this.log.error(`${day} is too old, but was not dropped: ${why}`);
		if (dropped.length > 0) this.log.info(swept, "Also deleted from before it");
	}
}
