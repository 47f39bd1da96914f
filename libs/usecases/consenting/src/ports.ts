import type { Consent, StandingConsent } from "#core/privacy";
import type { Kept, KeptRows } from "#usecases/profiling";

export interface ConsentStore extends KeptRows<StandingConsent> {
	/**
	 * Replaces all that is known of the unit's consent, and takes features out of its profile; done and committed when it resolves. Never
	 * beside an erasure: it comes whole before or after. `since` moves where anything of the consent changes.
	 */
	put(
		unit: string,
		consent: Consent,
		/** Features whose values are kept no longer. */
		withheld: readonly string[],
	): Promise<Kept<StandingConsent>>;
}

/** Who keeps consents in memory. */
export interface ConsentMemory {
	/** What was put here is obeyed here from now on. */
	put(unit: string, row: Kept<StandingConsent>): void;
}

/** Who keeps in memory what a changed consent may have taken away. */
export interface WithheldMemory {
	forget(unit: string): void;
}
