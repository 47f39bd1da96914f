const FEWEST_ITEMS = 200;
const FIRST_ITEMS = 1_000;
const MOST_ITEMS = 5_000;
/** Larger batches than a quarter of a second pays for bring little, and a second is how long an outcome may wait for its batch. */
const QUICK_SECONDS = 0.25;
const SLOW_SECONDS = 1;
const GROWTH = 1.5;
/** How much the newest batch counts in the mean of items a message. */
const NEWEST = 0.3;

/**
 * How much a learner takes at once. A small backlog needs no care: a pull brings what is there and waits for no more. Under a large one
 * batches grow while they are quick, since a transaction has its price whatever is in it, and shrink when they are slow. Counted in
 * items, since a message may hold one or two hundred.
 */
export class BatchSize {
	#items = FIRST_ITEMS;
	#perMessage = 1;

	constructor(private readonly mostMessages: number) {}

	/** Of one transaction, at most; a message is not divided. */
	get items(): number {
		return Math.round(this.#items);
	}

	/** Of one pull, at most: about what fills a transaction. */
	get messages(): number {
		const fill = Math.ceil(this.#items / this.#perMessage);
		return Math.min(this.mostMessages, Math.max(1, fill));
	}

	learned(batch: {
		readonly messages: number;
		readonly items: number;
		readonly seconds: number;
	}): void {
		if (batch.messages === 0) return;
		const perMessage = Math.max(1, batch.items / batch.messages);
		this.#perMessage += NEWEST * (perMessage - this.#perMessage);
		if (batch.seconds > SLOW_SECONDS) this.#shrink();
		else if (batch.seconds < QUICK_SECONDS && this.#wasFull(batch))
			this.#items = Math.min(MOST_ITEMS, this.#items * GROWTH);
	}

	/** A batch that is too much for the way to the database fails each time, until there is less in it. */
	failed(): void {
		this.#shrink();
	}

	#shrink(): void {
		this.#items = Math.max(FEWEST_ITEMS, this.#items / 2);
	}

	/** As many as were asked for: there was more. */
	#wasFull(batch: { readonly messages: number; readonly items: number }) {
		return batch.items >= this.#items || batch.messages >= this.messages;
	}
}
