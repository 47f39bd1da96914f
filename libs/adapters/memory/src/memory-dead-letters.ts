import type {
	DeadLetters,
	KeptLetter,
	LetterFilter,
} from "#usecases/redriving";

/** Twin of the table of dead letters. */
export class MemoryDeadLetters implements DeadLetters {
	#letters: KeptLetter[] = [];

	/** As a learner stores one. Returns its id. */
	add(
		letter: Pick<KeptLetter, "subject" | "reason" | "payload" | "receivedAt">,
	): number {
		const id = this.#letters.length + 1;
		this.#letters.push({ ...letter, id, redrivenAt: null, redrives: 0 });
		return id;
	}

	async newest(
		filter: LetterFilter,
		most: number,
	): Promise<readonly KeptLetter[]> {
		return this.#matching(filter).reverse().slice(0, most);
	}

	async page(
		filter: LetterFilter,
		afterId: number,
		lastId: number,
		most: number,
	): Promise<readonly KeptLetter[]> {
		return this.#matching(filter)
			.filter(({ id }) => id > afterId && id <= lastId)
			.slice(0, most);
	}

	async lastId(): Promise<number> {
		return this.#letters.length;
	}

	async mark(
		letters: readonly Pick<KeptLetter, "id" | "redrives">[],
	): Promise<void> {
		for (const { id, redrives } of letters)
			this.#letters = this.#letters.map((letter) =>
				letter.id === id && letter.redrives === redrives
					? { ...letter, redrivenAt: Date.now(), redrives: redrives + 1 }
					: letter,
			);
	}

	#matching({ ids, reason, since, waiting }: LetterFilter): KeptLetter[] {
		return this.#letters.filter(
			(letter) =>
				(ids === undefined || ids.includes(letter.id)) &&
				(reason === undefined || letter.reason.startsWith(reason)) &&
				(since === undefined || letter.receivedAt >= since) &&
				(!waiting || letter.redrivenAt === null),
		);
	}
}
