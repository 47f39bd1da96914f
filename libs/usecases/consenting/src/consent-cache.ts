import { NOTHING_STANDS, type StandingConsent } from "#core/privacy";
import type { Consents } from "#usecases/deciding";
import { UnitCache, type UnitCacheOptions } from "#usecases/profiling";
import type { ConsentMemory, ConsentStore } from "./ports.js";

export interface ConsentCacheOptions extends UnitCacheOptions {
	/** Told of a unit whose consent stands no more, and since when it stood. */
	readonly onChanged?: (unit: string, since: number) => void;
}

/** A withdrawal holds everywhere within 2 s: what was not confirmed for nearly as long may be one. */
const MOST_SILENCE_MS = 1_500;
/** For what nobody waits for. */
const RELOAD_MS = 1_000;
const MOST_CHANGING = 10_000;

/** Consents as a decider keeps them. Where changes made elsewhere are not heard of, nothing can be told of any unit. */
export class ConsentCache
	extends UnitCache<StandingConsent>
	implements Consents, ConsentMemory
{
	readonly #onChanged: (unit: string, since: number) => void;
	/** Units that were put elsewhere and are being read again, and since when the consent stood that was known. */
	readonly #changing = new Map<string, number>();

	constructor(
		source: Pick<ConsentStore, "read">,
		/** Since when changes may be unknown here, by `performance.now()`. */
		private readonly heardAt: () => number,
		options: ConsentCacheOptions = {},
	) {
		super(source, NOTHING_STANDS, options);
		this.#onChanged = options.onChanged ?? (() => {});
	}

	override lookUp(
		unit: string,
		budgetMs: number,
	): StandingConsent | null | Promise<StandingConsent | null> {
		if (performance.now() - this.heardAt() > MOST_SILENCE_MS) return null;
		return super.lookUp(unit, budgetMs);
	}

	/** Read again at once where it was known, so that what was made of it goes too. */
	override forgetOlder(unit: string, updatedAt: number): void {
		const known = this.peek(unit);
		super.forgetOlder(unit, updatedAt);
		if (known === undefined || this.peek(unit) !== undefined) return;
		if (this.#changing.size < MOST_CHANGING)
			this.#changing.set(unit, known.since);
		void super.lookUp(unit, RELOAD_MS);
	}

	protected override arrived(unit: string, { since }: StandingConsent): void {
		const before = this.peek(unit)?.since ?? this.#changing.get(unit);
		this.#changing.delete(unit);
		if (before !== undefined && before !== since) this.#onChanged(unit, before);
	}

	protected override dropped(unit: string, { since }: StandingConsent): void {
		this.#onChanged(unit, since);
	}
}
