/** Lets everything that waits be run: other requests, the stream's answers, timers. */
export function breath(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}

/** Work that must not hold the event loop: `pause` takes a breath whenever a slice of `sliceMs` is used up. */
export class Slices {
	private begunAt: number;

	constructor(
		private readonly sliceMs = 1,
		private readonly now: () => number = () => performance.now(),
	) {
		this.begunAt = now();
	}

	/** Whether a pause is due; asked first where even an await would cost. */
	get used(): boolean {
		return this.now() - this.begunAt >= this.sliceMs;
	}

	async pause(): Promise<void> {
		if (!this.used) return;
		await breath();
		this.begunAt = this.now();
	}
}
