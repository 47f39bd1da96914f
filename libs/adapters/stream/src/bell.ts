import { pause } from "./wait.js";

export interface Ring {
	/** Resolves at the ring, also one that has been, and after `ms` at the latest. */
	within(ms: number): Promise<void>;
	cancel(): void;
}

/** Wakes everyone who waits. `next` is taken before looking, so that what happens while one looks is not slept through. */
export class Bell {
	readonly #waiting = new Set<AbortController>();

	ring(): void {
		for (const one of this.#waiting) one.abort();
		this.#waiting.clear();
	}

	next(): Ring {
		const ring = new AbortController();
		this.#waiting.add(ring);
		const cancel = () => void this.#waiting.delete(ring);
		return { within: (ms) => pause(ms, ring.signal).finally(cancel), cancel };
	}
}
