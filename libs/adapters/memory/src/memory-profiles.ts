import type { JsonObject } from "#core/experiment";
import type {
	ChangedUnits,
	ProfileStore,
	StoredProfile,
	UnitChanges,
} from "#usecases/profiling";

/** Twin of the database's profiles, for tests. Each statement sees what is there when it begins and answers when it is let. */
export class MemoryProfiles implements ProfileStore, UnitChanges {
	away = false;
	/** Units of each question so far. */
	readonly questions: (readonly string[])[] = [];
	/** Awaited before a question is answered. */
	delay: () => Promise<void> = async () => {};
	readonly #profiles = new Map<string, StoredProfile>();

	constructor(
		private readonly clock: { now(): number },
		private readonly mostChanged = 5_000,
	) {}

	async put(unit: string, values: JsonObject): Promise<StoredProfile> {
		this.#refuseAway();
		const before = this.#profiles.get(unit)?.updatedAt ?? 0;
		const stored = {
			values,
			updatedAt: Math.max(this.clock.now(), before + 0.001),
			bytes: JSON.stringify(values).length,
		};
		this.#profiles.set(unit, stored);
		return stored;
	}

	/** As a put of a consent does. */
	strip(unit: string, names: readonly string[]): void {
		const row = this.#profiles.get(unit);
		if (row === undefined) return;
		const values = Object.fromEntries(
			Object.entries(row.values).filter(([name]) => !names.includes(name)),
		);
		this.#profiles.set(unit, {
			...row,
			values,
			updatedAt: Math.max(this.clock.now(), row.updatedAt + 0.001),
		});
	}

	/** As an erasure does. */
	remove(unit: string): void {
		this.#profiles.delete(unit);
	}

	async read(
		units: readonly string[],
	): Promise<ReadonlyMap<string, StoredProfile>> {
		this.#refuseAway();
		this.questions.push(units);
		const found = new Map<string, StoredProfile>();
		for (const unit of units) {
			const profile = this.#profiles.get(unit);
			if (profile !== undefined) found.set(unit, profile);
		}
		await this.delay();
		this.#refuseAway();
		return found;
	}

	async changedSince(instant: number | null): Promise<ChangedUnits> {
		this.#refuseAway();
		const changed = [...this.#profiles]
			.filter(([, { updatedAt }]) => instant !== null && updatedAt > instant)
			.map(([unit, { updatedAt }]) => ({ unit, updatedAt }));
		return {
			now: this.clock.now(),
			changed: changed.length > this.mostChanged ? null : changed,
		};
	}

	#refuseAway(): void {
		if (this.away) throw new Error("The database is away.");
	}
}
