import { NOTHING_STANDS, type StandingConsent } from "#core/privacy";
import type { Consents } from "#usecases/deciding";
import { UnitCache, type UnitCacheOptions } from "#usecases/profiling";
import type { ConsentMemory, ConsentStore } from "./ports.js";

/** A withdrawal holds everywhere within 2 s: what was not confirmed for nearly as long may be one. */
const MOST_SILENCE_MS = 1_500;

/** Consents as a decider keeps them. Where changes made elsewhere are not heard of, nothing can be told of any unit. */
export class ConsentCache
	extends UnitCache<StandingConsent>
	implements Consents, ConsentMemory
{
	constructor(
		source: Pick<ConsentStore, "read">,
		/** Since when changes may be unknown here, by `performance.now()`. */
		private readonly heardAt: () => number,
		options: UnitCacheOptions = {},
	) {
		super(source, NOTHING_STANDS, options);
	}

	override lookUp(
		unit: string,
		budgetMs: number,
	): StandingConsent | null | Promise<StandingConsent | null> {
		if (performance.now() - this.heardAt() > MOST_SILENCE_MS) return null;
		return super.lookUp(unit, budgetMs);
	}
}
