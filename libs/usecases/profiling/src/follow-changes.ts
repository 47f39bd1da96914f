import { Repeated } from "#usecases/pacing";
import type { UnitChanges } from "./ports.js";

/** Below the 2 s that are promised, with a question that takes long. */
const POLL_MS = 500;
/** From the instant of a put to its commit; and how far apart the clocks of a database and its successor may be. */
const OVERLAP_MS = 10_000;

/** Who keeps rows of units in memory. */
export interface Forgetful {
	forgetAll(): void;
	/** The unit has another row since that instant. */
	forgetOlder(unit: string, updatedAt: number): void;
}

/** Forgets rows of units that were put elsewhere. */
export class FollowChanges {
	/** The database's time of the last answer; null before. */
	#asOf: number | null = null;
	#heardAt = Number.NEGATIVE_INFINITY;
	readonly #polling: Repeated;

	constructor(
		private readonly changes: UnitChanges,
		private readonly cache: Forgetful,
		failed: (error: unknown) => void,
	) {
		this.#polling = new Repeated(() => this.poll(), POLL_MS, failed);
	}

	/** Nothing may be kept before: what changes from then on is heard of. */
	async start(): Promise<void> {
		await this.poll();
		this.#polling.start();
	}

	stop(): Promise<void> {
		return this.#polling.stop();
	}

	/** Since when changes may be unknown here, by `performance.now()`. */
	get heardAt(): number {
		return this.#heardAt;
	}

	async poll(): Promise<void> {
		const before = this.#asOf;
		const askedAt = performance.now();
		const { now, changed } = await this.changes.changedSince(
			before === null ? null : before - OVERLAP_MS,
		);
		this.#asOf = now;
		const wentBack = before !== null && now < before - OVERLAP_MS;
		if (changed === null || wentBack) this.cache.forgetAll();
		else
			for (const { unit, updatedAt } of changed)
				this.cache.forgetOlder(unit, updatedAt);
		this.#heardAt = askedAt;
	}
}
