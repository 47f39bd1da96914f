import { Repeated } from "#usecases/deciding";
import type { ProfileChanges } from "./ports.js";
import type { ProfileCache } from "./profile-cache.js";

/** Below the 2 s that are promised, with a question that takes long. */
const POLL_MS = 500;
/** From the instant of a put to its commit; and how far apart the clocks of a database and its successor may be. */
const OVERLAP_MS = 10_000;

/** Forgets profiles that were put elsewhere. */
export class FollowProfiles {
	/** The database's time of the last answer; null before. */
	#asOf: number | null = null;
	readonly #polling: Repeated;

	constructor(
		private readonly changes: ProfileChanges,
		private readonly cache: Pick<ProfileCache, "forgetAll" | "forgetOlder">,
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

	async poll(): Promise<void> {
		const before = this.#asOf;
		const { now, changed } = await this.changes.changedSince(
			before === null ? null : before - OVERLAP_MS,
		);
		this.#asOf = now;
		const wentBack = before !== null && now < before - OVERLAP_MS;
		if (changed === null || wentBack) this.cache.forgetAll();
		else
			for (const { unit, updatedAt } of changed)
				this.cache.forgetOlder(unit, updatedAt);
	}
}
