import { canonicalJson } from "#core/experiment";
import {
	type Consent,
	type StandingConsent,
	writeConsent,
} from "#core/privacy";
import type { ConsentStore } from "#usecases/consenting";
import type { ChangedUnits, Kept, UnitChanges } from "#usecases/profiling";
import type { MemoryProfiles } from "./memory-profiles.js";

/** Twin of the database's consents, for tests. */
export class MemoryConsents implements ConsentStore, UnitChanges {
	away = false;
	/** Units of each question so far. */
	readonly questions: (readonly string[])[] = [];
	/** Awaited before a question is answered. */
	delay: () => Promise<void> = async () => {};
	readonly #rows = new Map<string, Kept<StandingConsent>>();

	constructor(
		private readonly clock: { now(): number },
		private readonly profiles: MemoryProfiles | null = null,
	) {}

	async put(
		unit: string,
		consent: Consent,
		withheld: readonly string[],
	): Promise<Kept<StandingConsent>> {
		this.#refuseAway();
		const before = this.#rows.get(unit);
		const now = Math.max(this.clock.now(), (before?.updatedAt ?? 0) + 0.001);
		const isSame =
			before !== undefined &&
			canonicalJson(writeConsent(before.values)) ===
				canonicalJson(writeConsent(consent));
		const row = {
			values: { ...consent, since: isSame ? before.values.since : now },
			updatedAt: now,
			bytes: 64,
		};
		this.#rows.set(unit, row);
		this.profiles?.strip(unit, withheld);
		return row;
	}

	/** As an erasure does. */
	remove(unit: string): void {
		this.#rows.delete(unit);
	}

	async read(
		units: readonly string[],
	): Promise<ReadonlyMap<string, Kept<StandingConsent>>> {
		this.#refuseAway();
		this.questions.push(units);
		const found = new Map<string, Kept<StandingConsent>>();
		for (const unit of units) {
			const row = this.#rows.get(unit);
			if (row !== undefined) found.set(unit, row);
		}
		await this.delay();
		this.#refuseAway();
		return found;
	}

	async changedSince(instant: number | null): Promise<ChangedUnits> {
		this.#refuseAway();
		const changed = [...this.#rows]
			.filter(([, { updatedAt }]) => instant !== null && updatedAt > instant)
			.map(([unit, { updatedAt }]) => ({ unit, updatedAt }));
		return { now: this.clock.now(), changed };
	}

	#refuseAway(): void {
		if (this.away) throw new Error("The database is away.");
	}
}
