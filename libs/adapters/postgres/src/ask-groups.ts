import { Flights } from "#usecases/pacing";

export interface AskGroupsOptions<A, R> {
	readonly mostItems: number;
	/** Bytes of an ask as it is sent. */
	readonly weigh: (ask: A) => number;
	/** Of a statement's asks together; one that weighs more by itself is sent alone. */
	readonly mostBytes: number;
	/** Statements under way at once. */
	readonly mostFlights: number;
	/** Asks waiting at most; beyond, asking is refused. */
	readonly mostWaiting: number;
	/** Of all asks waiting; beyond, asking is refused. */
	readonly mostWaitingBytes: number;
	/** One result per ask, in order. */
	readonly send: (asks: readonly A[]) => Promise<readonly R[]>;
}

/** Whether it was done is unknown. */
export class NoAnswerInTime extends Error {
	constructor() {
		super("The database did not answer in time.");
		this.name = "NoAnswerInTime";
	}
}

interface Waiting<A, R> {
	readonly ask: A;
	readonly bytes: number;
	readonly resolve: (result: R) => void;
	readonly reject: (error: unknown) => void;
}

/**
 * Asks that come while statements are under way ride together in the next one, so that one round trip and one commit serve many.
 * None waits longer than its time: what its statement does later is unknown to it. Where every statement under way has hung for that
 * long, an ask is refused at once, so that a frozen database costs the time of a few asks and not of all.
 */
export class AskGroups<A, R> {
	readonly #waiting: Waiting<A, R>[] = [];
	#waitingBytes = 0;
	readonly #flights: Flights;

	constructor(private readonly options: AskGroupsOptions<A, R>) {
		this.#flights = new Flights(options.mostFlights);
	}

	ask(ask: A, timeoutMs: number): Promise<R> {
		const { mostWaiting, mostWaitingBytes, weigh } = this.options;
		const bytes = weigh(ask);
		const isFull =
			this.#waiting.length >= mostWaiting ||
			this.#waitingBytes + bytes > mostWaitingBytes;
		if (isFull || this.#flights.haveHungFor(timeoutMs))
			return Promise.reject(new NoAnswerInTime());
		return new Promise((resolve, reject) => {
			const settle = (finish: () => void) => {
				clearTimeout(timer);
				finish();
			};
			const waiting: Waiting<A, R> = {
				ask,
				bytes,
				resolve: (result) => settle(() => resolve(result)),
				reject: (error) => settle(() => reject(error)),
			};
			const timer = setTimeout(() => this.#giveUp(waiting), timeoutMs);
			this.#waiting.push(waiting);
			this.#waitingBytes += bytes;
			// Once per turn of the event loop: what arrives in one turn leaves in one group.
			if (this.#waiting.length === 1) setImmediate(() => this.#launch());
		});
	}

	#giveUp(waiting: Waiting<A, R>): void {
		const place = this.#waiting.indexOf(waiting);
		if (place >= 0) this.#take(place, 1);
		waiting.reject(new NoAnswerInTime());
	}

	#launch(): void {
		this.#flights.launch(() =>
			this.#waiting.length === 0
				? null
				: this.#fly(this.#take(0, this.#groupSize())),
		);
	}

	/** How many of those waiting go together: one at least. */
	#groupSize(): number {
		const { mostItems, mostBytes } = this.options;
		const most = Math.min(mostItems, this.#waiting.length);
		let bytes = 0;
		for (let size = 0; size < most; size++) {
			bytes += (this.#waiting[size] as Waiting<A, R>).bytes;
			if (bytes > mostBytes) return Math.max(size, 1);
		}
		return most;
	}

	#take(place: number, count: number): Waiting<A, R>[] {
		const taken = this.#waiting.splice(place, count);
		for (const { bytes } of taken) this.#waitingBytes -= bytes;
		return taken;
	}

	async #fly(group: readonly Waiting<A, R>[]): Promise<void> {
		try {
			const results = await this.options.send(group.map(({ ask }) => ask));
			group.forEach(({ resolve }, i) => {
				resolve(results[i] as R);
			});
		} catch (error) {
			for (const { reject } of group) reject(error);
		}
	}
}
