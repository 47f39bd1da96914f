import type { HeldMessage, Stream } from "#usecases/ingesting";
import type { Committed, Learn } from "#usecases/learning";

export interface WorkerOptions {
	/** Messages taken at once at most: bounds memory, since a message is at most 1 MiB. */
	readonly mostMessages: number;
	readonly onBatch: (batch: FinishedBatch) => void;
	readonly onTrouble: (what: string, error: unknown) => void;
}

export interface FinishedBatch {
	readonly messages: readonly HeldMessage[];
	readonly commits: readonly Committed[];
	readonly seconds: number;
}

const EXTEND_MS = 2_000;
const PULL_WAIT_MS = 1_000;
const LONGEST_PAUSE_MS = 2_000;

/**
 * pulling → learning → acknowledging → pulling, until stopped. A batch in hand is finished before `stop` resolves.
 * A batch that fails for a passing reason stays in hand, its messages extended, and is tried again: the stream need not redeliver.
 */
export class LearnerWorker {
	#running: Promise<void> | null = null;
	#stopping = false;
	#wake: () => void = () => {};

	constructor(
		private readonly stream: Stream,
		private readonly learn: Learn,
		private readonly options: WorkerOptions,
	) {}

	start(): void {
		this.#running ??= this.#run();
	}

	async stop(): Promise<void> {
		this.#stopping = true;
		this.#wake();
		await this.#running;
	}

	async #run(): Promise<void> {
		let pause = 0;
		while (!this.#stopping) {
			try {
				const held = await this.stream.pull(
					this.options.mostMessages,
					PULL_WAIT_MS,
				);
				if (held.length > 0) await this.#finish(held);
				pause = 0;
			} catch (error) {
				this.options.onTrouble("The stream did not deliver", error);
				pause = await this.#rest(pause);
			}
		}
	}

	async #finish(held: readonly HeldMessage[]): Promise<void> {
		const extending = setInterval(() => {
			for (const message of held) message.extend();
		}, EXTEND_MS);
		try {
			const startedAt = performance.now();
			const commits = await this.#learnUntilDone(held);
			if (commits === null) return;
			for (const message of held) message.acknowledge();
			for (const { revisions } of commits)
				for (const [experiment, revision] of revisions)
					this.stream.announce(experiment, revision);
			this.options.onBatch({
				messages: held,
				commits,
				seconds: (performance.now() - startedAt) / 1_000,
			});
		} finally {
			clearInterval(extending);
		}
	}

	/** Null when stopped before it succeeded: the messages were not acknowledged and come back to another learner. */
	async #learnUntilDone(
		held: readonly HeldMessage[],
	): Promise<readonly Committed[] | null> {
		let pause = 0;
		while (true) {
			try {
				return await this.learn.execute(held);
			} catch (error) {
				this.options.onTrouble("A batch was not committed", error);
				if (this.#stopping) return null;
				pause = await this.#rest(pause);
			}
		}
	}

	/** Waits a little longer each time, or until stopped. Returns the next pause. */
	async #rest(pause: number): Promise<number> {
		await new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, pause);
			this.#wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
		return Math.min(LONGEST_PAUSE_MS, Math.max(50, pause * 2));
	}
}
