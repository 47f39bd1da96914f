import type { SipKey } from "#core/policy";
import { KeyHash } from "./key-hash.js";

/** A unit that was erased, by its hash under the windows' key. */
export interface ErasedUnit {
	readonly high: number;
	readonly low: number;
	/** Milliseconds since the epoch. */
	readonly erasedAt: number;
}

/** What windows and tombstones know a unit by: its hash, which without the key names nobody. */
export function unitHash(
	key: SipKey,
	unit: string,
): Pick<ErasedUnit, "high" | "low"> {
	const hash = new KeyHash(key);
	hash.of(unit);
	return { high: hash.high, low: hash.low };
}

/** Every decider hears of an erasure within this time; so long after it a unit that came back counts in none. */
const HEARD_MS = 2_000;
const MOST = 2 ** 20;

/**
 * Units whose events are passed over up to 2 s after their erasure, however late they come. Known as long as such an event may be in some
 * window, and of more than a million the latest; each takes about 100 bytes.
 */
export class ErasedUnits {
	readonly #reachMs: number;
	/** 53 bits of the hash: until which time events are passed over. In the order in which they were told. */
	readonly #until = new Map<number, number>();

	constructor(reachMs: number) {
		this.#reachMs = reachMs;
	}

	get any(): boolean {
		return this.#until.size > 0;
	}

	/** False where it is known already. */
	add({ high, low, erasedAt }: ErasedUnit): boolean {
		const id = idOf(high, low);
		const until = erasedAt + HEARD_MS;
		if ((this.#until.get(id) ?? 0) >= until) return false;
		this.#until.delete(id);
		this.#until.set(id, until);
		if (this.#until.size > MOST)
			for (const first of this.#until.keys()) {
				this.#until.delete(first);
				break;
			}
		return true;
	}

	/** Whether what the unit did at that time is passed over. */
	covers(high: number, low: number, at: number): boolean {
		const until = this.#until.get(idOf(high, low));
		return until !== undefined && at <= until;
	}

	/** Lets go of those that no window at `now` reaches back to. */
	leave(now: number): void {
		for (const [id, until] of this.#until)
			if (until <= now - this.#reachMs) this.#until.delete(id);
	}
}

function idOf(high: number, low: number): number {
	return (high & 0x1f_ffff) * 2 ** 32 + low;
}
