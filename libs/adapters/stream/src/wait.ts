/** Resolves after `ms`, or at once when `signal` aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		if (signal?.aborted) return resolve();
		const done = () => {
			clearTimeout(timer);
			signal?.removeEventListener("abort", done);
			resolve();
		};
		const timer = setTimeout(done, ms);
		signal?.addEventListener("abort", done);
	});
}

/** Waits that grow from 50 ms to `longest` while something keeps failing. */
export class BackOff {
	#next = FIRST_MS;
	readonly #longest: number;

	constructor(longest: number) {
		this.#longest = longest;
	}

	reset(): void {
		this.#next = FIRST_MS;
	}

	async wait(signal?: AbortSignal): Promise<void> {
		const ms = this.#next;
		this.#next = Math.min(ms * 2, this.#longest);
		await pause(ms, signal);
	}
}

const FIRST_MS = 50;
