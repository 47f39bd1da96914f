import type { Stream } from "#usecases/ingesting";
import type { CloseWindows, Committed } from "#usecases/learning";

const EVERY_MS = 2_000;

export interface WindowUpkeepOptions {
	readonly onClosed: (commits: readonly Committed[], seconds: number) => void;
	readonly onTrouble: (error: unknown) => void;
}

/**
 * Closes windows every two seconds by the clock of the stream: the present where nothing of it waits, else the newest message learned,
 * so that after an outage no window is closed before its events are learned.
 */
export class WindowUpkeep {
	#timer: NodeJS.Timeout | null = null;
	#running: Promise<void> = Promise.resolve();
	#busy = false;
	#learnedUpTo = Number.NEGATIVE_INFINITY;

	constructor(
		private readonly windows: CloseWindows,
		private readonly stream: Pick<Stream, "backlog" | "announce">,
		private readonly options: WindowUpkeepOptions,
	) {}

	/** Told of every batch learned. What other lanes and learners have in hand may be older: a window's grace is for that. */
	learned(messages: readonly { readonly storedAt: number }[]): void {
		for (const { storedAt } of messages)
			this.#learnedUpTo = Math.max(this.#learnedUpTo, storedAt);
	}

	start(): void {
		this.#timer ??= setInterval(() => {
			if (this.#busy) return;
			this.#busy = true;
			this.#running = this.#close()
				.catch((error) => this.options.onTrouble(error))
				.finally(() => {
					this.#busy = false;
				});
		}, EVERY_MS);
	}

	async stop(): Promise<void> {
		if (this.#timer) clearInterval(this.#timer);
		await this.#running;
	}

	async #close(): Promise<void> {
		const startedAt = performance.now();
		const present = Date.now();
		const waiting = await this.stream.backlog();
		const clock = waiting === 0 ? present : this.#learnedUpTo;
		if (clock === Number.NEGATIVE_INFINITY) return;
		const commits = await this.windows.execute(clock);
		for (const { revisions } of commits)
			for (const [experiment, revision] of revisions)
				this.stream.announce(experiment, revision);
		if (commits.length > 0)
			this.options.onClosed(commits, (performance.now() - startedAt) / 1_000);
	}
}
