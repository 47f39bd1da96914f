import type { HeldMessage, Stream } from "#usecases/ingesting";
import { BatchSize, type Committed, type Learn } from "#usecases/learning";

export interface WorkerOptions {
	/** Messages taken at once at most: bounds memory, since a message is at most 1 MiB. */
	readonly mostMessages: number;
	/** From one pull that emptied the stream to the next. Default 50. */
	readonly gatherMs?: number;
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
const GATHER_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/**
 * pulling → learning a batch → acknowledging it → the next batch of the pull; or gathering, where the pull emptied the stream; or pulling;
 * until stopped. What comes while it gathers shares a transaction, which has its price however little is in it. A batch in hand is finished
 * before `stop` resolves. One that fails for a passing reason stays in hand, its messages extended, and is tried again: the stream need
 * not redeliver.
 */
export class LearnerWorker {
	#running: Promise<void> | null = null;
	#stopping = false;
	#wake: () => void = () => {};
	readonly #size: BatchSize;
	readonly #gatherMs: number;

	constructor(
		private readonly stream: Stream,
		private readonly learn: Pick<Learn, "inBatches">,
		private readonly options: WorkerOptions,
	) {
		this.#size = new BatchSize(options.mostMessages);
		this.#gatherMs = options.gatherMs ?? GATHER_MS;
	}

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
				const most = this.#size.messages;
				const held = await this.stream.pull(most, PULL_WAIT_MS);
				const pulledAt = performance.now();
				if (held.length > 0) await this.#finish(held);
				pause = 0;
				const left = this.#gatherMs - (performance.now() - pulledAt);
				if (held.length > 0 && held.length < most && left > 0)
					await this.#wait(left);
			} catch (error) {
				this.options.onTrouble("The stream did not deliver", error);
				pause = await this.#rest(pause);
			}
		}
	}

	/** Stopped before all of it succeeded: what is left was not acknowledged and comes back to another learner. */
	async #finish(held: readonly HeldMessage[]): Promise<void> {
		let left = held;
		let pause = 0;
		const extending = setInterval(() => {
			for (const message of left) message.extend();
		}, EXTEND_MS);
		try {
			while (left.length > 0) {
				try {
					await this.#learnSome(left, (done) => {
						left = left.slice(done);
						pause = 0;
					});
				} catch (error) {
					this.options.onTrouble("A batch was not finished", error);
					this.#size.failed();
					if (this.#stopping) return;
					pause = await this.#rest(pause);
				}
			}
		} finally {
			clearInterval(extending);
		}
	}

	async #learnSome(
		held: readonly HeldMessage[],
		onDone: (messages: number) => void,
	): Promise<void> {
		let startedAt = performance.now();
		for await (const batch of this.learn.inBatches(held, this.#size.items)) {
			const { messages, items, commits } = batch;
			for (const message of messages) message.acknowledge();
			onDone(messages.length);
			const seconds = (performance.now() - startedAt) / 1_000;
			this.#size.learned({ messages: messages.length, items, seconds });
			for (const { revisions } of commits)
				for (const [experiment, revision] of revisions)
					this.stream.announce(experiment, revision);
			this.options.onBatch({ messages, commits, seconds });
			startedAt = performance.now();
		}
	}

	/** Waits a little longer each time, or until stopped. Returns the next pause. */
	async #rest(pause: number): Promise<number> {
		await this.#wait(pause);
		return Math.min(LONGEST_PAUSE_MS, Math.max(50, pause * 2));
	}

	/** Until stopped at the latest. */
	async #wait(ms: number): Promise<void> {
		if (this.#stopping) return;
		await new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, ms);
			this.#wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}
}
