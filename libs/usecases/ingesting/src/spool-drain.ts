import {
	MessageTooLarge,
	type Spool,
	type SpoolEntry,
	type Stream,
} from "./ports.js";

const PAGE = 64;
const AT_ONCE = 8;
const IDLE_MS = 100;
const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

export interface SpoolDrainOptions {
	readonly publish: (entry: SpoolEntry) => Promise<void>;
	/** Told of each entry that the stream took, at once. */
	readonly onMoved: () => void;
	readonly onTrouble: (what: string, error: unknown) => void;
}

/**
 * Moves what lies in the spool to the stream, oldest first, for as long as it runs: at once while that succeeds, with growing pauses
 * while it fails. Eight are on their way at once: what the stream refuses alone comes after the seven behind it, which learners do not
 * mind. What the stream already had it recognises by the message id.
 */
export class SpoolDrain {
	readonly #stream: Stream;
	readonly #spool: Spool;
	readonly #options: SpoolDrainOptions;
	readonly #stop = new AbortController();
	#running: Promise<void> | null = null;
	#woken = false;
	#endRest: () => void = () => {};

	constructor(stream: Stream, spool: Spool, options: SpoolDrainOptions) {
		this.#stream = stream;
		this.#spool = spool;
		this.#options = options;
	}

	start(): void {
		this.#running ??= this.#run();
	}

	/** Something was just spooled: tries at once, or once more after what is under way, without the pause. */
	wake(): void {
		this.#woken = true;
		this.#endRest();
	}

	/** Resolves when nothing of it is under way any more. */
	async stop(): Promise<void> {
		this.#stop.abort();
		await this.#running;
	}

	async #run(): Promise<void> {
		let pause = 0;
		while (!this.#stop.signal.aborted) {
			this.#woken = false;
			try {
				const moved = this.#stream.connected ? await this.#movePage() : 0;
				pause = moved > 0 ? 0 : IDLE_MS;
			} catch (error) {
				this.#options.onTrouble(
					"The spool was not drained; Segue tries again",
					error,
				);
				pause = Math.min(
					LONGEST_PAUSE_MS,
					Math.max(SHORTEST_PAUSE_MS, pause * 2),
				);
			}
			if (pause > 0) await this.#rest(pause);
		}
	}

	/** How many the stream took. Rejects after dropping those it took, when it did not take one. */
	async #movePage(): Promise<number> {
		const entries = await this.#spool.peek(PAGE);
		let moved = 0;
		for (
			let from = 0;
			from < entries.length && !this.#stop.signal.aborted;
			from += AT_ONCE
		) {
			moved += await this.#moveSome(entries.slice(from, from + AT_ONCE));
		}
		return moved;
	}

	async #moveSome(entries: readonly SpoolEntry[]): Promise<number> {
		const results = await Promise.allSettled(
			entries.map(async (entry) => {
				await this.#options.publish(entry);
				this.#options.onMoved();
			}),
		);
		let moved = 0;
		for (const [index, result] of results.entries()) {
			if (result.status === "fulfilled") moved += 1;
			else if (result.reason instanceof MessageTooLarge)
				await this.#setBack(entries[index] as SpoolEntry, result.reason);
			else break;
			await this.#spool.drop(1);
		}
		const failed = results.find((result) => result.status === "rejected");
		if (failed?.status === "rejected") throw failed.reason;
		return moved;
	}

	/** The stream's limit was lowered since: nothing is thrown away, but what comes behind must not wait for it. */
	async #setBack(entry: SpoolEntry, error: MessageTooLarge): Promise<void> {
		await this.#spool.append(entry);
		this.#options.onTrouble(
			"A spooled message is larger than the stream takes; it goes to the end of the spool",
			error,
		);
	}

	#rest(ms: number): Promise<void> {
		const { signal } = this.#stop;
		return new Promise((resolve) => {
			if (this.#woken || signal.aborted) return resolve();
			const done = () => {
				clearTimeout(timer);
				signal.removeEventListener("abort", done);
				this.#endRest = () => {};
				resolve();
			};
			const timer = setTimeout(done, ms);
			signal.addEventListener("abort", done);
			this.#endRest = done;
		});
	}
}
