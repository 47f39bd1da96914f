import type { Definition, JsonObject } from "#core/experiment";

/** A unit's row of some table, as it was last put. */
export interface Kept<V> {
	readonly values: V;
	/** By the database's clock, milliseconds, with its microseconds; grows with every put. */
	readonly updatedAt: number;
	/** About how much room it takes. */
	readonly bytes: number;
}

/** A table that has one row a unit. */
export interface KeptRows<V> {
	/** Of those units that have one. */
	read(units: readonly string[]): Promise<ReadonlyMap<string, Kept<V>>>;
}

/** A unit's features that change seldom. */
export type StoredProfile = Kept<JsonObject>;

export interface ProfileStore extends KeptRows<JsonObject> {
	/** Replaces the whole profile; done and committed when it resolves. Never beside an erasure: it comes whole before or after. */
	put(unit: string, values: JsonObject): Promise<StoredProfile>;
}

/** What became of rows of units since an instant of the database's clock. */
export interface ChangedUnits {
	/** That clock, at the moment of asking: what is not seen committed by then is seen by the next who asks from a little earlier. */
	readonly now: number;
	/** Null where they are too many to name. */
	readonly changed:
		| readonly { readonly unit: string; readonly updatedAt: number }[]
		| null;
}

export interface UnitChanges {
	/** @param instant null to learn the time alone */
	changedSince(instant: number | null): Promise<ChangedUnits>;
}

/** The current definitions, of which profile features are declared. */
export interface DeclaringDefinitions {
	all(): readonly Definition[];
}

/** Who keeps profiles in memory. */
export interface ProfileMemory {
	/** What was put here is seen here from now on. */
	put(unit: string, profile: StoredProfile): void;
}

/** What must not be kept of a unit's profile now: features that need a consent it has not given. */
export interface Withheld {
	of(unit: string): Promise<readonly string[]>;
}

/** Units that were erased elsewhere, by a number made of a keyed hash: whoever has none of `marks` was not. */
export interface ErasedMarks {
	mark(unit: string): number;
	readonly marks: ReadonlySet<number>;
}
