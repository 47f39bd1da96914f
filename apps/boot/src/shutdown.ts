/** Steps to undo a start, run last-in-first-out; one that fails is reported and does not keep the others from running. */
export class Shutdown {
	readonly #steps: { name: string; undo: () => Promise<void> }[] = [];
	#running: Promise<void> | null = null;

	constructor(
		private readonly onFailure: (step: string, error: unknown) => void,
	) {}

	add(name: string, undo: () => Promise<void>): void {
		this.#steps.push({ name, undo });
	}

	/** The same run for every caller. */
	run(): Promise<void> {
		this.#running ??= this.#undoAll();
		return this.#running;
	}

	async #undoAll(): Promise<void> {
		for (const { name, undo } of this.#steps.reverse()) {
			try {
				await undo();
			} catch (error) {
				this.onFailure(name, error);
			}
		}
	}
}

/** npm passes a signal on to what also got it from the terminal: a repeat this soon is the same signal. */
const SAME_SIGNAL_MS = 2_000;

/** Ends the process with exit code 0 after `shutdown`; a later, second signal ends it at once with 1. */
export function endOnSignal(
	shutdown: Shutdown,
	onFirst: (signal: string) => void,
): void {
	let firstAt: number | null = null;
	const heard = (signal: string) => {
		if (firstAt !== null) {
			if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(1);
			return;
		}
		firstAt = performance.now();
		onFirst(signal);
		shutdown.run().then(
			() => process.exit(0),
			() => process.exit(1),
		);
	};
	process.on("SIGTERM", () => heard("SIGTERM"));
	process.on("SIGINT", () => heard("SIGINT"));
}
