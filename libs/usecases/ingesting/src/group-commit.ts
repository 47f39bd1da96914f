/** Where an item is safe. */
export type Place = "stream" | "spool";

interface Waiting<T> {
	readonly item: T;
	readonly bytes: number;
	/** By `performance.now()`: the publish must be over by then. */
	readonly deadline: number;
	readonly resolve: (place: Place) => void;
	readonly reject: (error: unknown) => void;
}

export interface GroupCommitOptions<T> {
	readonly mostItems: number;
	readonly mostBytes: number;
	/** Groups under way at once. */
	readonly mostFlights: number;
	/** Items waiting at most; beyond, adding is refused. */
	readonly mostWaiting: number;
	/** Makes a group safe within `timeoutMs`, and says where. */
	readonly send: (items: readonly T[], timeoutMs: number) => Promise<Place>;
	readonly refusal: () => Error;
}

/** A group that grows with every turn of the event loop leaves after this much, about. */
const LONGEST_GATHERING_MS = 1;

/**
 * Items that come together, or while groups are under way, ride together in the next one: one round trip serves all that wait.
 * idle → (add) → gathering; gathering → (a turn of the event loop brought nothing more, or it took long enough) → flying, if fewer
 * fly than may; flying → (group safe or failed) → the next group if any wait, else idle. To gather halves the messages under load,
 * each of which costs as much as several decisions, and makes a lone item wait for one turn only.
 */
export class GroupCommit<T> {
	#waiting: Waiting<T>[] = [];
	readonly #flying = new Set<readonly Waiting<T>[]>();
	#idle: (() => void)[] = [];
	#gathering = false;

	constructor(private readonly options: GroupCommitOptions<T>) {}

	/** Resolves when the item is safe. `bytes` is its size when encoded, roughly. */
	add(item: T, bytes: number, timeoutMs: number): Promise<Place> {
		if (this.#waiting.length >= this.options.mostWaiting)
			return Promise.reject(this.options.refusal());
		return new Promise((resolve, reject) => {
			this.#waiting.push({
				item,
				bytes,
				deadline: performance.now() + timeoutMs,
				resolve,
				reject,
			});
			if (!this.#gathering) this.#gather(1, performance.now());
		});
	}

	/** Items that are not safe yet. */
	*underWay(): Iterable<T> {
		for (const { item } of this.#waiting) yield item;
		for (const group of this.#flying) for (const { item } of group) yield item;
	}

	/** Resolves when nothing waits and nothing flies. */
	settled(): Promise<void> {
		if (this.#isIdle) return Promise.resolve();
		return new Promise((resolve) => this.#idle.push(resolve));
	}

	#gather(before: number, begunAt: number): void {
		this.#gathering = true;
		setImmediate(() => {
			const count = this.#waiting.length;
			const isDone =
				count <= before ||
				count >= this.options.mostItems ||
				performance.now() - begunAt >= LONGEST_GATHERING_MS;
			if (!isDone) return this.#gather(count, begunAt);
			this.#gathering = false;
			this.#launch();
		});
	}

	get #isIdle(): boolean {
		return this.#waiting.length === 0 && this.#flying.size === 0;
	}

	#launch(): void {
		while (
			this.#waiting.length > 0 &&
			this.#flying.size < this.options.mostFlights
		)
			void this.#fly(this.#nextGroup());
		if (this.#isIdle) for (const resolve of this.#idle.splice(0)) resolve();
	}

	#nextGroup(): readonly Waiting<T>[] {
		let bytes = 0;
		let count = 0;
		for (const { bytes: size } of this.#waiting) {
			if (
				count === this.options.mostItems ||
				(count > 0 && bytes + size > this.options.mostBytes)
			)
				break;
			bytes += size;
			count += 1;
		}
		return this.#waiting.splice(0, count);
	}

	async #fly(group: readonly Waiting<T>[]): Promise<void> {
		this.#flying.add(group);
		let deadline = Number.POSITIVE_INFINITY;
		for (const waiting of group)
			deadline = Math.min(deadline, waiting.deadline);
		try {
			const place = await this.options.send(
				group.map(({ item }) => item),
				deadline - performance.now(),
			);
			for (const { resolve } of group) resolve(place);
		} catch (error) {
			for (const { reject } of group) reject(error);
		}
		this.#flying.delete(group);
		this.#launch();
	}
}
