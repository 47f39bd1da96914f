import type { Stream } from "#usecases/ingesting";
import type { CloseWindows, Committed } from "#usecases/learning";
import type { StreamClock } from "./stream-clock.js";

const EVERY_MS = 2_000;

export interface WindowUpkeepOptions {
	readonly onClosed: (commits: readonly Committed[], seconds: number) => void;
	readonly onTrouble: (error: unknown) => void;
}

/** Closes windows every two seconds by the clock of the stream. */
export class WindowUpkeep {
	#timer: NodeJS.Timeout | null = null;
	#running: Promise<void> = Promise.resolve();
	#busy = false;

	constructor(
		private readonly windows: CloseWindows,
		private readonly stream: Pick<Stream, "announce">,
		private readonly clock: Pick<StreamClock, "now">,
		private readonly options: WindowUpkeepOptions,
	) {}

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
		const now = await this.clock.now();
		if (now === null) return;
		const commits = await this.windows.execute(now);
		for (const { revisions } of commits)
			for (const [experiment, revision] of revisions)
				this.stream.announce(experiment, revision);
		if (commits.length > 0)
			this.options.onClosed(commits, (performance.now() - startedAt) / 1_000);
	}
}
