import type { ChildProcess } from "node:child_process";
import type { Log } from "./child.js";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** A process that ran this long had started well: the next pause is the first one again. */
const SETTLED_MS = 30_000;

export interface Supervised {
	/** For the log, such as `PostgreSQL`. */
	readonly name: string;
	/** Spawns the process and resolves once it serves; rejects, leaving nothing running, where it does not. */
	launch(): Promise<ChildProcess>;
	readonly stopSignal: NodeJS.Signals;
	/** How long a stop may take before the process is killed. */
	readonly graceMs: number;
	readonly log: Log;
	/** Where a process can live on and serve no more. */
	readonly watchdog?: Watchdog;
}

export interface Watchdog {
	/** Whether it still serves; takes a few seconds at most to say. To reject says no. */
	serves(): Promise<boolean>;
	/** Between two askings. */
	readonly everyMs: number;
	/** A process that serves at none of so many askings in a row is ended, and launched again. */
	readonly patience: number;
}

/**
 * Keeps one process running.
 *
 * running → (it dies, or is ended since it serves no more) → pausing → launching → running; a launch that fails pauses again, twice as
 * long up to 10 s. stop() from running signals and waits; from pausing it ends the pause; from
 * launching it waits for the launch and stops what came of it. After that nothing is launched.
 */
export class Supervisor {
	#process: ChildProcess;
	#stopping: Promise<void> | null = null;
	#relaunching: Promise<void> | null = null;
	#endPause: () => void = () => undefined;
	#pauseMs = FIRST_PAUSE_MS;
	#since = Date.now();
	#asking: NodeJS.Timeout | undefined;

	private constructor(
		private readonly supervised: Supervised,
		first: ChildProcess,
	) {
		this.#process = first;
		this.#watch(first);
	}

	/** Launches and watches; rejects where the first launch does. */
	static async start(supervised: Supervised): Promise<Supervisor> {
		return new Supervisor(supervised, await supervised.launch());
	}

	get pid(): number {
		return this.#process.pid as number;
	}

	stop(): Promise<void> {
		this.#stopping ??= this.#stop();
		return this.#stopping;
	}

	async #stop(): Promise<void> {
		clearTimeout(this.#asking);
		this.#endPause();
		await this.#relaunching;
		await end(
			this.#process,
			this.supervised.stopSignal,
			this.supervised.graceMs,
		);
	}

	#watch(child: ChildProcess): void {
		this.#since = Date.now();
		const died = () => {
			clearTimeout(this.#asking);
			if (this.#stopping) return;
			this.supervised.log.error(
				{ childPid: child.pid, code: child.exitCode, signal: child.signalCode },
				`${this.supervised.name} died; it is started again`,
			);
			this.#relaunching ??= this.#relaunch().finally(() => {
				this.#relaunching = null;
			});
		};
		if (hasEnded(child)) died();
		else {
			child.once("exit", died);
			this.#ask(child, 0);
		}
	}

	#ask(child: ChildProcess, unanswered: number): void {
		const { watchdog, name, log, stopSignal, graceMs } = this.supervised;
		if (watchdog === undefined) return;
		this.#asking = setTimeout(async () => {
			const serves = await watchdog.serves().catch(() => false);
			if (this.#stopping || hasEnded(child)) return;
			if (serves) this.#ask(child, 0);
			else if (unanswered + 1 < watchdog.patience)
				this.#ask(child, unanswered + 1);
			else {
				log.error(
					{ childPid: child.pid, asked: unanswered + 1 },
					`${name} lives and serves no more; it is ended`,
				);
				await end(child, stopSignal, graceMs);
			}
		}, watchdog.everyMs);
	}

	async #relaunch(): Promise<void> {
		if (Date.now() - this.#since > SETTLED_MS) this.#pauseMs = FIRST_PAUSE_MS;
		for (;;) {
			if (this.#stopping) return;
			await this.#pause();
			if (this.#stopping) return;
			try {
				this.#process = await this.supervised.launch();
				break;
			} catch (error) {
				this.supervised.log.error(
					{ err: error },
					`${this.supervised.name} did not start; it is tried again`,
				);
			}
		}
		this.supervised.log.info(
			{ childPid: this.pid },
			`${this.supervised.name} runs again`,
		);
		// Not in this turn: a process that died at once must find #relaunching free again.
		setImmediate(() => this.#watch(this.#process));
	}

	async #pause(): Promise<void> {
		await new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, this.#pauseMs);
			this.#endPause = () => {
				clearTimeout(timer);
				resolve();
			};
		});
		this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
	}
}

export function hasEnded(child: ChildProcess): boolean {
	return child.exitCode !== null || child.signalCode !== null;
}

/** Signals, waits, and kills what has not ended by then. */
export async function end(
	child: ChildProcess,
	stopSignal: NodeJS.Signals,
	graceMs: number,
): Promise<void> {
	if (hasEnded(child)) return;
	const ended = new Promise<void>((resolve) =>
		child.once("exit", () => resolve()),
	);
	child.kill(stopSignal);
	const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
	await ended;
	clearTimeout(timer);
}
