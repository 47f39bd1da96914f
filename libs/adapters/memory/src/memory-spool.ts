import { type Spool, type SpoolEntry, SpoolFull } from "#usecases/ingesting";

/** What an entry costs beside its body, as in the files of the real spool. */
const OVERHEAD_BYTES = 12;

/** Twin of the spool for tests: the same bounds, no durability. */
export class MemorySpool implements Spool {
	readonly #maxBytes: number;
	#entries: SpoolEntry[] = [];
	#refused = false;

	constructor(maxBytes = 64 * 1_048_576) {
		this.#maxBytes = maxBytes;
	}

	get size(): number {
		return this.#entries.reduce((bytes, entry) => bytes + sizeOf(entry), 0);
	}

	get count(): number {
		return this.#entries.length;
	}

	get full(): boolean {
		return this.#refused;
	}

	async append(entry: SpoolEntry): Promise<void> {
		if (this.size + sizeOf(entry) > this.#maxBytes) {
			this.#refused = true;
			throw new SpoolFull();
		}
		this.#entries.push({ ...entry, body: entry.body.slice() });
	}

	async peek(most: number): Promise<readonly SpoolEntry[]> {
		return this.#entries.slice(0, most);
	}

	async *entries(): AsyncIterable<SpoolEntry> {
		yield* [...this.#entries];
	}

	async drop(count: number): Promise<void> {
		this.#entries = this.#entries.slice(count);
		if (count > 0) this.#refused = false;
	}

	async rewrite(change: (body: Uint8Array) => Uint8Array): Promise<number> {
		const { size } = this;
		let changed = 0;
		this.#entries = this.#entries.map((entry) => {
			const body = change(entry.body);
			if (body !== entry.body) changed += 1;
			return { ...entry, body };
		});
		if (this.size < size) this.#refused = false;
		return changed;
	}

	async close(): Promise<void> {}
}

function sizeOf({ subject, messageId, body }: SpoolEntry): number {
	return OVERHEAD_BYTES + subject.length + messageId.length + body.length;
}
