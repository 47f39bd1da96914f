import { timeOfId } from "#core/log";
import type { KeyHash } from "./key-hash.js";
import { RecentIds } from "./recent-ids.js";

/** What windows read of a decision. */
export interface LiveDecision {
	readonly id: string;
	readonly experiment: string;
	readonly arm: string;
}

/** Which experiment's which arm a decision chose. */
export interface DecidedArm {
	readonly experiment: string;
	readonly arm: string;
}

const MOST_DECISIONS = 2 ** 20;

/**
 * What recent decisions chose, so that an event that names one counts for its arm and experiment: those made in the last `reachMs`, as far
 * as they are remembered (see `RecentIds`). What a decision made earlier than that brings counts for neither, in no decider.
 */
export class DecidedArms {
	readonly #hash: KeyHash;
	readonly #reachMs: number;
	readonly #chosen = new RecentIds(MOST_DECISIONS, [
		(slots) => new Uint32Array(slots),
	]);
	/** Every arm that was ever chosen, and where in the list it is. */
	readonly #arms: DecidedArm[] = [];
	readonly #places = new Map<string, number>();

	constructor(hash: KeyHash, reachMs: number) {
		this.#hash = hash;
		this.#reachMs = reachMs;
	}

	get bytes(): number {
		return this.#chosen.bytes;
	}

	add({ id, experiment, arm }: LiveDecision): void {
		const name = `${experiment} ${arm}`;
		let place = this.#places.get(name);
		if (place === undefined) {
			place = this.#arms.length;
			this.#arms.push({ experiment, arm });
			this.#places.set(name, place);
		}
		this.#hash.of(id);
		const kept = this.#chosen.add(this.#hash.high, this.#hash.low);
		if (kept !== null) (kept.columns[0] as Uint32Array)[kept.at] = place;
	}

	/** For an event that was stored then. */
	of(decisionId: string | undefined, storedAt: number): DecidedArm | null {
		if (decisionId === undefined) return null;
		const isOld = timeOfId(decisionId) <= storedAt - this.#reachMs;
		return isOld ? null : this.find(decisionId);
	}

	/** However old it is. */
	find(decisionId: string): DecidedArm | null {
		this.#hash.of(decisionId);
		const kept = this.#chosen.find(this.#hash.high, this.#hash.low);
		if (kept === null) return null;
		return this.#arms[kept.columns[0]?.[kept.at] as number] ?? null;
	}
}
