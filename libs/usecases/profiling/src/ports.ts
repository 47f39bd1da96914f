import type { Definition, JsonObject } from "#core/experiment";

/** A unit's features that change seldom, as they were last put. */
export interface StoredProfile {
	readonly values: JsonObject;
	/** By the database's clock, milliseconds, with its microseconds; grows with every put. */
	readonly updatedAt: number;
	/** About how much room it takes. */
	readonly bytes: number;
}

export interface ProfileStore {
	/** Replaces the whole profile; done and committed when it resolves. Never beside an erasure: it comes whole before or after. */
	put(unit: string, values: JsonObject): Promise<StoredProfile>;
	/** Of those units that have one. */
	read(units: readonly string[]): Promise<ReadonlyMap<string, StoredProfile>>;
}

/** What became of profiles since an instant of the database's clock. */
export interface ChangedProfiles {
	/** That clock, at the moment of asking: what is not seen committed by then is seen by the next who asks from a little earlier. */
	readonly now: number;
	/** Null where they are too many to name. */
	readonly changed:
		| readonly { readonly unit: string; readonly updatedAt: number }[]
		| null;
}

export interface ProfileChanges {
	/** @param instant null to learn the time alone */
	changedSince(instant: number | null): Promise<ChangedProfiles>;
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

/** Units that were erased elsewhere, by a number made of a keyed hash: whoever has none of `marks` was not. */
export interface ErasedMarks {
	mark(unit: string): number;
	readonly marks: ReadonlySet<number>;
}
