import {
	type ErasedFromDatabase,
	type Erasure,
	NO_ROWS,
	type Tombstones,
} from "#usecases/erasing";

/** Twin of the database's side of an erasure, for tests: it only knows tombstones. */
export class MemoryErasure implements Erasure, Tombstones {
	readonly #tombstones = new Map<string, number>();
	/** Set to make every erasure fail. */
	failure: Error | null = null;
	foldedBefore: number | null = null;

	constructor(private readonly clock: { now(): number }) {}

	async erase(units: readonly string[]): Promise<ErasedFromDatabase> {
		if (this.failure) throw this.failure;
		const erasedAt = this.clock.now() - 1;
		for (const unit of units) this.#tombstones.set(unit, erasedAt);
		const { foldedBefore } = this;
		return { erasedAt, removed: NO_ROWS, revisions: new Map(), foldedBefore };
	}

	async sweep(): Promise<number> {
		return 0;
	}

	async erasedAt(unit: string): Promise<number | null> {
		return this.#tombstones.get(unit) ?? null;
	}
}
