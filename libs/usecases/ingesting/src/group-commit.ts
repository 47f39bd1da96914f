/** Where an item is safe. */
export type Place = "stream" | "spool";

interface Waiting<T> {
	readonly item: T;
	readonly bytes: number;
	/** By `performance.now()`: when it came, and when the publish must be over. */
	readonly since: number;
	readonly deadline: number;
	readonly resolve: (place: Place) => void;
	readonly reject: (error: unknown) => void;
}

export interface GroupCommitOptions<T> {
	readonly mostItems: number;
	readonly mostBytes: number;
	/** Groups under way at once. */
	readonly mostFlights: number;
	/** Fewer items than WORTH_A_FLIGHT stay this long at most while a group is under way. */
	readonly longestStayMs: number;
	/** Items waiting at most; beyond, adding is refused. */
	readonly mostWaiting: number;
	/** Makes a group safe within `timeoutMs`, and says where. */
	readonly send: (items: readonly T[], timeoutMs: number) => Promise<Place>;
	readonly refusal: () => Error;
}

/** A group that grows with every turn of the event loop leaves after this much, about. */
const LONGEST_GATHERING_MS = 1;
/**
 * So many items leave at once, also beside a group that is under way; fewer stay for the next one. To wait for more would leave those
 * who wait for answers without work at the same time: with groups as they came, of 26, a decider had 8 % fewer requests a second.
 */
const WORTH_A_FLIGHT = 16;

/**
 * Items that come together, or while groups are under way, ride together in the next one: one round trip serves all that wait.
 * idle → (add) → gathering; gathering → (a turn of the event loop brought nothing more, or enough came, or it took long enough) → launching.
 * launching → flying, if none flies, or fewer than may and so many wait, or for so long, that they are worth a flight; else staying.
 * staying → (a group comes back, more items come, or it took long enough) → launching.
 * flying → (group safe or failed) → a turn of the event loop, in which its answers are sent → launching, if any wait, else idle.
 *
 * A message costs as much as several decisions, so to gather and to stay pays under load, and makes a lone item wait for one turn
 * only. To encode the next group before the answers of the last one were sent let their receivers stand idle: both together brought
 * about a tenth more decisions a second.
 */
export class GroupCommit<T> {
	#waiting: Waiting<T>[] = [];
	readonly #flying = new Set<readonly Waiting<T>[]>();
	#idle: (() => void)[] = [];
	/** A turn of the event loop from now, something is launched. */
	#gathering = false;
	#stay: NodeJS.Timeout | null = null;

	constructor(private readonly options: GroupCommitOptions<T>) {}

	/** Resolves when the item is safe. `bytes` is its size when encoded, roughly. */
	add(item: T, bytes: number, timeoutMs: number): Promise<Place> {
		if (this.#waiting.length >= this.options.mostWaiting)
			return Promise.reject(this.options.refusal());
		const since = performance.now();
		return new Promise((resolve, reject) => {
			const deadline = since + timeoutMs;
			this.#waiting.push({ item, bytes, since, deadline, resolve, reject });
			if (!this.#gathering) this.#gather(1, since);
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
				count >= WORTH_A_FLIGHT ||
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
			this.#flying.size < this.options.mostFlights &&
			!this.#stays()
		)
			void this.#fly(this.#nextGroup());
		if (this.#isIdle) for (const resolve of this.#idle.splice(0)) resolve();
	}

	/** Whether what waits is too little, and too young, to leave beside a group that is under way. */
	#stays(): boolean {
		const [first] = this.#waiting;
		const isWorthIt =
			first === undefined ||
			this.#flying.size === 0 ||
			this.#waiting.length >= WORTH_A_FLIGHT;
		if (isWorthIt) return false;
		const leftMs = first.since + this.options.longestStayMs - performance.now();
		if (leftMs <= 0) return false;
		this.#stay ??= setTimeout(() => {
			this.#stay = null;
			this.#launch();
		}, leftMs);
		return true;
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
		if (!this.#gathering) this.#gather(this.#waiting.length, performance.now());
	}
}
