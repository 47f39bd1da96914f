interface Link<V> {
	readonly key: string;
	value: V;
	bytes: number;
	newer: Link<V> | null;
	older: Link<V> | null;
}

/** Values by key, at most so many and so large; those that were not used for longest go first. A use moves pointers alone: it takes no time worth naming. */
export class RecentlyUsed<V> {
	readonly #links = new Map<string, Link<V>>();
	#newest: Link<V> | null = null;
	#oldest: Link<V> | null = null;
	#bytes = 0;

	constructor(
		private readonly most: number,
		private readonly mostBytes: number,
	) {}

	get size(): number {
		return this.#links.size;
	}

	get bytes(): number {
		return this.#bytes;
	}

	keys(): IterableIterator<string> {
		return this.#links.keys();
	}

	/** Without making it the newest. */
	peek(key: string): V | undefined {
		return this.#links.get(key)?.value;
	}

	use(key: string): V | undefined {
		const link = this.#links.get(key);
		if (link === undefined) return undefined;
		if (link !== this.#newest) {
			this.#unchain(link);
			this.#chain(link);
		}
		return link.value;
	}

	set(key: string, value: V, bytes: number): void {
		this.delete(key);
		const link = { key, value, bytes, newer: null, older: null };
		this.#links.set(key, link);
		this.#bytes += bytes;
		this.#chain(link);
		while (
			this.#oldest !== null &&
			(this.#links.size > this.most || this.#bytes > this.mostBytes)
		)
			this.delete(this.#oldest.key);
	}

	delete(key: string): void {
		const link = this.#links.get(key);
		if (link === undefined) return;
		this.#links.delete(key);
		this.#bytes -= link.bytes;
		this.#unchain(link);
	}

	clear(): void {
		this.#links.clear();
		this.#newest = null;
		this.#oldest = null;
		this.#bytes = 0;
	}

	#chain(link: Link<V>): void {
		link.older = this.#newest;
		link.newer = null;
		if (this.#newest !== null) this.#newest.newer = link;
		this.#newest = link;
		this.#oldest ??= link;
	}

	#unchain(link: Link<V>): void {
		if (link.newer === null) this.#newest = link.older;
		else link.newer.older = link.older;
		if (link.older === null) this.#oldest = link.newer;
		else link.older.newer = link.newer;
	}
}
