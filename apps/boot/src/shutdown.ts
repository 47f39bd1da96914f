/** PostgreSQL has 20 s to write its last checkpoint, and no statement takes longer than half a minute. */
const STEP_MS = 25_000;
const WHOLE_MS = 60_000;
/** For each step once the whole has taken too long. */
const LEAST_MS = 1_000;

export interface ShutdownWords {
	failed(step: string, error: unknown): void;
	/** It had so many seconds and is left as it is. */
	late(step: string, seconds: number): void;
}

/**
 * Steps to undo a start, run last-in-first-out. One that fails, or does not end in its time, is told of and does not keep the others from
 * running.
 */
export class Shutdown {
	readonly #steps: { name: string; undo: () => Promise<void> }[] = [];
	#running: Promise<boolean> | null = null;

	constructor(
		private readonly words: ShutdownWords,
		private readonly bounds = {
			stepMs: STEP_MS,
			wholeMs: WHOLE_MS,
			leastMs: LEAST_MS,
		},
	) {}

	add(name: string, undo: () => Promise<void>): void {
		this.#steps.push({ name, undo });
	}

	/** The same run for every caller: whether every step came to its end. */
	run(): Promise<boolean> {
		this.#running ??= this.#undoAll();
		return this.#running;
	}

	async #undoAll(): Promise<boolean> {
		const { stepMs, wholeMs, leastMs } = this.bounds;
		const end = performance.now() + wholeMs;
		let hasEnded = true;
		for (const { name, undo } of this.#steps.reverse()) {
			const ms = Math.max(leastMs, Math.min(stepMs, end - performance.now()));
			const undone = this.#undo(name, undo);
			if (await endsWithin(undone, ms)) continue;
			hasEnded = false;
			this.words.late(name, Math.round(ms / 1_000));
		}
		return hasEnded;
	}

	async #undo(name: string, undo: () => Promise<void>): Promise<void> {
		try {
			await undo();
		} catch (error) {
			this.words.failed(name, error);
		}
	}
}

async function endsWithin(work: Promise<void>, ms: number): Promise<boolean> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<boolean>((resolve) => {
		timer = setTimeout(() => resolve(false), ms);
	});
	const ended = await Promise.race([work.then(() => true), late]);
	clearTimeout(timer);
	return ended;
}

/** npm passes a signal on to what also got it from the terminal: a repeat this soon is the same signal. */
const SAME_SIGNAL_MS = 2_000;

/** Ends the process after `shutdown`, with exit code 0, or 1 where a step did not end; a later, second signal ends it at once with 1. */
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
			(hasEnded) => process.exit(hasEnded ? 0 : 1),
			() => process.exit(1),
		);
	};
	process.on("SIGTERM", () => heard("SIGTERM"));
	process.on("SIGINT", () => heard("SIGINT"));
}
