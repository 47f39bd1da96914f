import type { Pool } from "pg";
import type { OnProblem } from "./options.js";
import { acknowledgeMessages, extendClaims } from "./postgres-sql.js";
import { BackOff } from "./wait.js";

const LONGEST_WAIT_MS = 500;

/** Gathers what learners say about the messages they hold and writes it a statement at a time; a learner never waits for it. */
export class Acknowledgements {
	readonly #pool: Pool;
	readonly #claimMs: number;
	readonly #onProblem: OnProblem;
	readonly #stop = new AbortController();
	#done = new Set<number>();
	#longer = new Set<number>();
	#writing: Promise<void> | null = null;

	constructor(pool: Pool, claimMs: number, onProblem: OnProblem) {
		this.#pool = pool;
		this.#claimMs = claimMs;
		this.#onProblem = onProblem;
	}

	acknowledge(position: number): void {
		this.#done.add(position);
		this.#longer.delete(position);
		this.#write();
	}

	extend(position: number): void {
		if (!this.#done.has(position)) this.#longer.add(position);
		this.#write();
	}

	/** Writes what is left, once; what cannot be written is redelivered. */
	async close(): Promise<void> {
		this.#stop.abort();
		while (this.#writing !== null) await this.#writing;
	}

	#write(): void {
		this.#writing ??= this.#drain().finally(() => {
			this.#writing = null;
			// Said after the drain saw nothing left and before this.
			if (this.#done.size > 0 || this.#longer.size > 0) this.#write();
		});
	}

	async #drain(): Promise<void> {
		const backOff = new BackOff(LONGEST_WAIT_MS);
		// Lets a whole batch acknowledge before the first statement goes out.
		await new Promise((resolve) => setImmediate(resolve));
		while (this.#done.size > 0 || this.#longer.size > 0) {
			const done = take(this.#done);
			const longer = take(this.#longer);
			this.#done = new Set();
			this.#longer = new Set();
			try {
				if (done.length > 0) await acknowledgeMessages(this.#pool, done);
				if (longer.length > 0)
					await extendClaims(this.#pool, longer, this.#claimMs);
				backOff.reset();
			} catch (error) {
				if (this.#stop.signal.aborted) return;
				this.#onProblem(
					"The stream could not write acknowledgements; it tries again.",
					error,
				);
				for (const position of done) this.#done.add(position);
				await backOff.wait(this.#stop.signal);
			}
		}
	}
}

/** Sorted, so that two writers lock rows in one order. */
function take(positions: ReadonlySet<number>): number[] {
	return [...positions].sort((a, b) => a - b);
}
