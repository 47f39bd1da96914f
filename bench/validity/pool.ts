import { Worker } from "node:worker_threads";
import type { Chunk, Input, JobName, Result } from "./jobs.js";

interface Waiting {
	readonly chunk: Chunk;
	readonly done: (results: unknown[]) => void;
	readonly failed: (error: unknown) => void;
}

/** Runs of one job go to a worker so many at a time. */
const CHUNK = 5;

/** Worker threads that take chunks of runs as they become free; results come back in the order of the seeds, whichever thread was faster. */
export class Pool {
	readonly #idle: Worker[] = [];
	readonly #all: Worker[] = [];
	readonly #waiting: Waiting[] = [];

	constructor(threads: number) {
		for (let i = 0; i < threads; i++) {
			const worker = new Worker(new URL("./worker.js", import.meta.url));
			this.#all.push(worker);
			this.#idle.push(worker);
		}
	}

	async run<Name extends JobName>(
		job: Name,
		input: Input<Name>,
		seeds: readonly number[],
	): Promise<Result<Name>[]> {
		const chunks: Promise<unknown[]>[] = [];
		for (let from = 0; from < seeds.length; from += CHUNK)
			chunks.push(
				this.#hand({ job, input, seeds: seeds.slice(from, from + CHUNK) }),
			);
		return (await Promise.all(chunks)).flat() as Result<Name>[];
	}

	async close(): Promise<void> {
		await Promise.all(this.#all.map((worker) => worker.terminate()));
	}

	#hand(chunk: Chunk): Promise<unknown[]> {
		return new Promise((done, failed) => {
			this.#waiting.push({ chunk, done, failed });
			this.#next();
		});
	}

	#next(): void {
		if (this.#waiting.length === 0) return;
		const worker = this.#idle.pop();
		if (worker === undefined) return;
		const { chunk, done, failed } = this.#waiting.shift() as Waiting;
		worker.removeAllListeners();
		worker.once("message", (results: unknown[]) => {
			this.#idle.push(worker);
			done(results);
			this.#next();
		});
		worker.once("error", failed);
		worker.postMessage(chunk);
	}
}
