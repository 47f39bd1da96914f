const RECOUNT_MS = 1_000;
const RECOUNT_WHEN_FULL_MS = 50;

/** Keeps publishers below a bound without counting at each publish: own entries since the last count are added to it. */
export class RoomCheck {
	readonly #most: number;
	readonly #count: () => Promise<number>;
	#known = 0;
	#countedAt = Number.NEGATIVE_INFINITY;
	#counting: Promise<void> | null = null;

	constructor(most: number, count: () => Promise<number>) {
		this.#most = most;
		this.#count = count;
	}

	/** Rejects when the bound is reached. */
	async enter(): Promise<void> {
		const age = performance.now() - this.#countedAt;
		if (this.#known >= this.#most) {
			if (age > RECOUNT_WHEN_FULL_MS) await this.#recount();
		} else if (age === Number.POSITIVE_INFINITY) {
			await this.#recount();
		} else if (age > RECOUNT_MS) {
			this.#recount().catch(() => {});
		}
		if (this.#known >= this.#most) {
			throw new Error(
				`The stream holds ${this.#known} messages that no learner has acknowledged, its bound. Start or mend a learner; the message was not stored.`,
			);
		}
		this.#known += 1;
	}

	#recount(): Promise<void> {
		this.#counting ??= this.#count()
			.then((count) => {
				this.#known = count;
				this.#countedAt = performance.now();
			})
			.finally(() => {
				this.#counting = null;
			});
		return this.#counting;
	}
}
