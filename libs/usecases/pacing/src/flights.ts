/** Questions to somebody slower, so many under way at once. */
export class Flights {
	readonly #underWay = new Set<{ readonly startedAt: number }>();

	constructor(private readonly most: number) {}

	/**
	 * Sends what `next` has while there is room, and again whenever one has ended.
	 * @param next the next question on its way, which never rejects; null where there is none
	 */
	launch(next: () => Promise<void> | null): void {
		while (this.#underWay.size < this.most) {
			const flight = { startedAt: performance.now() };
			const answered = next();
			if (answered === null) return;
			this.#underWay.add(flight);
			answered.finally(() => {
				this.#underWay.delete(flight);
				this.launch(next);
			});
		}
	}

	/** Whether there is no room, and everything under way has been for so long. */
	haveHungFor(ms: number): boolean {
		if (this.#underWay.size < this.most) return false;
		const now = performance.now();
		for (const { startedAt } of this.#underWay)
			if (now - startedAt < ms) return false;
		return true;
	}
}
