import { Slices } from "#usecases/deciding";
import type { ErasedMarks, Kept, KeptRows } from "./ports.js";
import { RecentlyUsed } from "./recently-used.js";
import { type LookupOptions, UnitLookups } from "./unit-lookups.js";

export interface UnitCacheOptions extends Partial<LookupOptions> {
	/** Units kept, with a row or known to have none. */
	readonly mostUnits?: number;
	readonly mostBytes?: number;
	/** Told of a database that does not answer, once a second at most. */
	readonly failed?: (error: unknown) => void;
}

const MOST_UNITS = 100_000;
const MOST_BYTES = 64 * 1_024 * 1_024;
/** Of a unit that has nothing: its name and its place. */
const BYTES_A_UNIT = 256;
const LOOKUPS = { mostItems: 128, mostFlights: 2, mostWaiting: 5_000 };
const TELL_EVERY_MS = 1_000;

interface Entry<V> {
	readonly row: Kept<V>;
	/** Of the unit's keyed hash; null until an erasure asks for it. */
	mark: number | null;
}

/** Rows of the units decided for lately, and that others have none: the decider's own, bounded, and told what changes elsewhere. */
export class UnitCache<V> {
	readonly #kept: RecentlyUsed<Entry<V>>;
	readonly #lookups: UnitLookups<V>;
	#toldAt = Number.NEGATIVE_INFINITY;

	constructor(
		source: Pick<KeptRows<V>, "read">,
		/** What is known of a unit that has no row. */
		nothing: V,
		private readonly options: UnitCacheOptions = {},
	) {
		this.#kept = new RecentlyUsed(
			options.mostUnits ?? MOST_UNITS,
			options.mostBytes ?? MOST_BYTES,
		);
		this.#lookups = new UnitLookups(
			source,
			{ ...LOOKUPS, ...options },
			(unit, row) => this.#keepNewer(unit, row),
			Object.freeze({ values: nothing, updatedAt: 0, bytes: 0 }),
			(error) => this.#tell(error),
		);
	}

	get size(): number {
		return this.#kept.size;
	}

	get bytes(): number {
		return this.#kept.bytes;
	}

	/** Units that are asked for now. */
	get underWay(): number {
		return this.#lookups.size;
	}

	/** At once where the unit is in memory; null where nothing was had within the budget. Never rejects. */
	lookUp(unit: string, budgetMs: number): V | null | Promise<V | null> {
		const kept = this.#kept.use(unit);
		return kept === undefined
			? this.#lookups.ask(unit, budgetMs)
			: kept.row.values;
	}

	/** What was put here is seen here from now on. */
	put(unit: string, row: Kept<V>): void {
		this.#keepNewer(unit, row);
	}

	/** Whatever is known of the unit, or on its way, is not used from now on. */
	forget(unit: string): void {
		this.#drop(unit);
		this.#lookups.forget(unit);
	}

	/** The unit has another row since that instant. */
	forgetOlder(unit: string, updatedAt: number): void {
		const kept = this.#kept.peek(unit);
		if (kept !== undefined && kept.row.updatedAt < updatedAt)
			this.#kept.delete(unit);
		this.#lookups.forget(unit);
	}

	/** Rows that were put before an instant of the database's clock: retention may have deleted them. */
	forgetPutBefore(instant: number): void {
		for (const unit of [...this.#kept.keys()]) {
			const updatedAt = this.#kept.peek(unit)?.row.updatedAt ?? 0;
			if (updatedAt > 0 && updatedAt < instant) this.#kept.delete(unit);
		}
	}

	forgetAll(): void {
		this.#kept.clear();
		this.#lookups.forgetWhere(() => true);
	}

	/** Tombstones name nobody, so the units kept here are hashed, each once, and others are let through in between. */
	async forgetErased(erased: ErasedMarks): Promise<void> {
		if (erased.marks.size === 0) return;
		// Asked for from now on, the database has the erasure; what is under way may not.
		this.#lookups.forgetWhere((unit) => erased.marks.has(erased.mark(unit)));
		const slices = new Slices();
		for (const unit of [...this.#kept.keys()]) {
			const kept = this.#kept.peek(unit);
			if (kept !== undefined) {
				kept.mark ??= erased.mark(unit);
				if (erased.marks.has(kept.mark)) this.#drop(unit);
			}
			if (slices.used) await slices.pause();
		}
	}

	/** What is known of a unit, where it is in memory. */
	protected peek(unit: string): V | undefined {
		return this.#kept.peek(unit)?.row.values;
	}

	/** For who makes something of what is kept: a unit was forgotten for good. */
	protected dropped(_unit: string, _values: V): void {}

	/** For who makes something of what is kept: this is known from now on. */
	protected arrived(_unit: string, _values: V): void {}

	#drop(unit: string): void {
		const kept = this.#kept.peek(unit);
		this.#kept.delete(unit);
		if (kept !== undefined) this.dropped(unit, kept.row.values);
	}

	/** An answer may be older than what came since it was asked for. */
	#keepNewer(unit: string, row: Kept<V>): Kept<V> {
		const known = this.#kept.peek(unit);
		if (known !== undefined && known.row.updatedAt > row.updatedAt)
			return known.row;
		this.arrived(unit, row.values);
		const kept = { row, mark: known?.mark ?? null };
		this.#kept.set(unit, kept, BYTES_A_UNIT + row.bytes);
		return row;
	}

	#tell(error: unknown): void {
		const now = performance.now();
		if (now - this.#toldAt < TELL_EVERY_MS) return;
		this.#toldAt = now;
		this.options.failed?.(error);
	}
}
