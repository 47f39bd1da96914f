import type { JsonObject } from "#core/experiment";
import { type Profiles, Slices } from "#usecases/deciding";
import type {
	ErasedMarks,
	ProfileMemory,
	ProfileStore,
	StoredProfile,
} from "./ports.js";
import { type LookupOptions, ProfileLookups } from "./profile-lookups.js";
import { RecentlyUsed } from "./recently-used.js";

export interface ProfileCacheOptions extends Partial<LookupOptions> {
	/** Units kept, with a profile or known to have none. */
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

interface Kept {
	readonly profile: StoredProfile;
	/** Of the unit's keyed hash; null until an erasure asks for it. */
	mark: number | null;
}

/** Profiles of the units decided for lately, and that others have none: the decider's own, bounded, and told what changes elsewhere. */
export class ProfileCache implements Profiles, ProfileMemory {
	readonly #kept: RecentlyUsed<Kept>;
	readonly #lookups: ProfileLookups;
	#toldAt = Number.NEGATIVE_INFINITY;

	constructor(
		source: Pick<ProfileStore, "read">,
		private readonly options: ProfileCacheOptions = {},
	) {
		this.#kept = new RecentlyUsed(
			options.mostUnits ?? MOST_UNITS,
			options.mostBytes ?? MOST_BYTES,
		);
		this.#lookups = new ProfileLookups(
			source,
			{ ...LOOKUPS, ...options },
			(unit, profile) => this.#keepNewer(unit, profile),
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

	lookUp(
		unit: string,
		budgetMs: number,
	): JsonObject | null | Promise<JsonObject | null> {
		const kept = this.#kept.use(unit);
		return kept === undefined
			? this.#lookups.ask(unit, budgetMs)
			: kept.profile.values;
	}

	put(unit: string, profile: StoredProfile): void {
		this.#keepNewer(unit, profile);
	}

	/** Whatever is known of the unit, or on its way, is not used from now on. */
	forget(unit: string): void {
		this.#kept.delete(unit);
		this.#lookups.forget(unit);
	}

	/** The unit has another profile since that instant. */
	forgetOlder(unit: string, updatedAt: number): void {
		const kept = this.#kept.peek(unit);
		if (kept !== undefined && kept.profile.updatedAt < updatedAt)
			this.#kept.delete(unit);
		this.#lookups.forget(unit);
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
				if (erased.marks.has(kept.mark)) this.#kept.delete(unit);
			}
			if (slices.used) await slices.pause();
		}
	}

	/** An answer may be older than what came since it was asked for. */
	#keepNewer(unit: string, profile: StoredProfile): StoredProfile {
		const known = this.#kept.peek(unit);
		if (known !== undefined && known.profile.updatedAt > profile.updatedAt)
			return known.profile;
		const kept = { profile, mark: known?.mark ?? null };
		this.#kept.set(unit, kept, BYTES_A_UNIT + profile.bytes);
		return profile;
	}

	#tell(error: unknown): void {
		const now = performance.now();
		if (now - this.#toldAt < TELL_EVERY_MS) return;
		this.#toldAt = now;
		this.options.failed?.(error);
	}
}
