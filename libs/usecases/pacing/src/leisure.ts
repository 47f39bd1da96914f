/** Of a turn of the event loop, which learning needs. */
const SLICE_MS = 2;
const LONGEST_REST_MS = 1_000;

/** How much longer than it works such work leaves the processor and the database to others: what lags behind is said to. */
const REST = 9;

/** Work that may wait: a slice of it, then a rest that leaves most of the time to others. */
export class Leisure {
	#begunAt = performance.now();

	constructor(
		/** Times as long as it worked. */
		private readonly restFor = REST,
	) {}

	get isDue(): boolean {
		return performance.now() - this.#begunAt >= SLICE_MS;
	}

	async rest(): Promise<void> {
		const worked = performance.now() - this.#begunAt;
		const restMs = Math.min(LONGEST_REST_MS, this.restFor * worked);
		await new Promise((resolve) => setTimeout(resolve, restMs));
		this.#begunAt = performance.now();
	}
}
