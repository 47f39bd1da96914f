import { Flights } from "#usecases/pacing";
import type { Kept, KeptRows } from "./ports.js";

export interface LookupOptions {
	/** Units of one question to the database. */
	readonly mostItems: number;
	/** Questions under way at once. */
	readonly mostFlights: number;
	/** Units that wait for a question; more are not asked for. */
	readonly mostWaiting: number;
}

/** A unit that is asked for, once for all who want it. */
interface Wanted<V> {
	readonly unit: string;
	readonly waiters: Set<(values: V | null) => void>;
	underWay: boolean;
	/** What comes is out of date: it was changed or forgotten after it was asked for. */
	again: boolean;
}

/**
 * Rows of units on their way from the database: waiting → under way → landed, or failed; forgotten while under way → waiting again. Units
 * wanted in one turn of the event loop, or while questions are under way, go in one question. Who waits has a budget, the question has
 * none: what comes late is kept for the next decision. Where every question has hung for longer than the budget, nobody waits.
 */
export class UnitLookups<V> {
	readonly #wanted = new Map<string, Wanted<V>>();
	readonly #waiting: Wanted<V>[] = [];
	readonly #flights: Flights;

	constructor(
		private readonly source: Pick<KeptRows<V>, "read">,
		private readonly options: LookupOptions,
		/** Keeps what landed, and says what is known of the unit from now on. */
		private readonly landed: (unit: string, row: Kept<V>) => Kept<V>,
		/** Of a unit that has no row. */
		private readonly nothing: Kept<V>,
		private readonly failed: (error: unknown) => void,
	) {
		this.#flights = new Flights(options.mostFlights);
	}

	/** Units that wait or are under way. */
	get size(): number {
		return this.#wanted.size;
	}

	ask(unit: string, budgetMs: number): Promise<V | null> | null {
		if (this.#flights.haveHungFor(budgetMs)) return null;
		let wanted = this.#wanted.get(unit);
		if (wanted === undefined) {
			if (this.#waiting.length >= this.options.mostWaiting) return null;
			wanted = { unit, waiters: new Set(), underWay: false, again: false };
			this.#wanted.set(unit, wanted);
			this.#enqueue(wanted);
		}
		const { waiters } = wanted;
		return new Promise((resolve) => {
			const done = (values: V | null) => {
				clearTimeout(timer);
				waiters.delete(done);
				resolve(values);
			};
			const timer = setTimeout(done, budgetMs, null);
			waiters.add(done);
		});
	}

	/** What is under way for the unit is asked for again. */
	forget(unit: string): void {
		const wanted = this.#wanted.get(unit);
		if (wanted?.underWay) wanted.again = true;
	}

	forgetWhere(isForgotten: (unit: string) => boolean): void {
		for (const wanted of this.#wanted.values())
			if (wanted.underWay && isForgotten(wanted.unit)) wanted.again = true;
	}

	#enqueue(wanted: Wanted<V>): void {
		this.#waiting.push(wanted);
		if (this.#waiting.length === 1) setImmediate(() => this.#launch());
	}

	#launch(): void {
		this.#flights.launch(() =>
			this.#waiting.length === 0
				? null
				: this.#fly(this.#waiting.splice(0, this.options.mostItems)),
		);
	}

	async #fly(some: readonly Wanted<V>[]): Promise<void> {
		for (const wanted of some) wanted.underWay = true;
		try {
			const found = await this.source.read(some.map(({ unit }) => unit));
			for (const wanted of some)
				this.#land(wanted, found.get(wanted.unit) ?? this.nothing);
		} catch (error) {
			this.failed(error);
			for (const wanted of some) this.#settle(wanted, null);
		}
	}

	#land(wanted: Wanted<V>, row: Kept<V>): void {
		if (!wanted.again) {
			const { values } = this.landed(wanted.unit, row);
			this.#settle(wanted, values);
			return;
		}
		wanted.again = false;
		wanted.underWay = false;
		if (wanted.waiters.size > 0) this.#enqueue(wanted);
		else this.#wanted.delete(wanted.unit);
	}

	#settle({ unit, waiters }: Wanted<V>, values: V | null): void {
		this.#wanted.delete(unit);
		for (const done of waiters) done(values);
	}
}
