import { setTimeout as sleep } from "node:timers/promises";
import type { Posterior } from "./contract.js";

/** Between two looks at the posterior: milliseconds. */
const POLL = 25;
/** After this long without progress Segue is taken to have stopped learning: milliseconds. */
const STALLED = 30_000;
/** The posterior counts as final when it has not moved for this long: milliseconds. */
const QUIET = 300;

/**
 * Watches how far one experiment has learned, by its posterior: Σn over the arms is the number of decisions that Segue
 * decides with by now. It holds the replay back to `limit` decisions not yet learned, and measures how long learning took.
 *
 * A decision has several events and Σn grows with the first that proves exposure, so a set of outcomes counts as learned
 * only when the set sent after it has been counted too: the stream keeps their order.
 */
export class LearningWatch {
	/** Milliseconds from the sending of a decision's outcomes until the posterior that holds them was seen. */
	readonly learnedWithin: number[] = [];
	private readonly sentAt: number[] = [];
	private asked = 0;
	private counted = 0;
	private revision = -1;
	private movedAt = performance.now();
	private waiters: (() => void)[] = [];
	private failure: Error | null = null;
	private stopped = false;
	private polling: Promise<void> = Promise.resolve();

	constructor(
		private readonly read: () => Promise<Posterior>,
		private readonly limit: number,
		private readonly signal: AbortSignal,
	) {}

	/** Decisions that Segue decides with by now. */
	get learned(): number {
		return this.counted;
	}

	start(): void {
		this.polling = this.poll();
	}

	async stop(): Promise<void> {
		this.stopped = true;
		await this.polling;
	}

	/** Resolves when one more decision may be asked for. */
	async admit(): Promise<void> {
		while (this.asked - this.counted >= this.limit) await this.nextLook();
		this.asked += 1;
	}

	/** Call just before a decision's outcomes are sent; returns the number of the set, from 0. */
	sending(): number {
		return this.sentAt.push(performance.now()) - 1;
	}

	/** Resolves when everything sent has been learned and the posterior has come to rest. */
	async settled(): Promise<void> {
		while (
			this.counted < this.sentAt.length ||
			performance.now() - this.movedAt < QUIET
		)
			await this.nextLook();
		this.mark(this.sentAt.length);
	}

	private async poll(): Promise<void> {
		this.movedAt = performance.now();
		while (!this.stopped && this.failure === null) {
			try {
				this.signal.throwIfAborted();
				this.note(await this.read());
			} catch (error) {
				this.failure =
					error instanceof Error ? error : new Error(String(error));
			}
			for (const wake of this.waiters.splice(0)) wake();
			await sleep(POLL);
		}
	}

	private note({ revision, arms }: Posterior): void {
		const now = performance.now();
		if (revision !== this.revision) this.movedAt = now;
		this.revision = revision;
		this.counted = arms.reduce((sum, { n }) => sum + n, 0);
		this.mark(Math.min(this.counted, this.sentAt.length) - 1);
		if (this.counted < this.sentAt.length && now - this.movedAt > STALLED) {
			throw new Error(
				`Segue has learned ${this.counted} of ${this.sentAt.length} decisions and no more for ${STALLED / 1000} s.`,
			);
		}
	}

	private mark(upTo: number): void {
		const now = performance.now();
		for (let i = this.learnedWithin.length; i < upTo; i += 1)
			this.learnedWithin.push(now - this.sentAt[i]!);
	}

	private async nextLook(): Promise<void> {
		if (this.failure !== null) throw this.failure;
		if (this.stopped) throw new Error("The demo was stopped.");
		await new Promise<void>((resolve) => this.waiters.push(resolve));
		if (this.failure !== null) throw this.failure;
	}
}
