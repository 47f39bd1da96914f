/** When this process's event loop had no turn: it collected garbage, or others had the processor. */
export class Standstills {
	readonly #spans: [number, number][] = [];
	readonly #timer: NodeJS.Timeout;

	constructor() {
		let last = performance.now();
		this.#timer = setInterval(() => {
			const now = performance.now();
			if (now - last > SHORTEST_MS) this.#spans.push([last, now]);
			last = now;
		}, TICK_MS);
	}

	/** Milliseconds between two times by `performance.now()`. */
	within(from: number, to: number): number {
		let sum = 0;
		for (const [begun, ended] of this.#spans)
			sum += Math.max(0, Math.min(ended, to) - Math.max(begun, from));
		return sum;
	}

	stop(): void {
		clearInterval(this.#timer);
	}
}

const TICK_MS = 1;
/** Shorter ones are a timer's own lateness. */
const SHORTEST_MS = 3;
