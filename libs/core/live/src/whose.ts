import type { LiveKey } from "#core/experiment";
import type { DecidedArm } from "./decided-arms.js";
import type { KeyHash } from "./key-hash.js";
import type { Written } from "./retractable.js";

/** Whose windows an event is written to and a feature is read from: the keys, as hashes. */
export class Whose {
	readonly hash: KeyHash;

	constructor(hash: KeyHash) {
		this.hash = hash;
	}

	/** Puts the hash of the key into `hash`; false where there is no such key. */
	find(
		by: LiveKey,
		of: {
			readonly unit: string;
			readonly session?: string;
			readonly item?: string;
		},
		decided: DecidedArm | null,
	): boolean {
		const hash = this.hash;
		switch (by) {
			case "unit":
				hash.of(of.unit);
				return true;
			case "session": {
				if (of.session === undefined) return false;
				// The high half is the unit's, so that its sessions are found when it is forgotten.
				hash.of(of.unit);
				const { high } = hash;
				hash.of(of.unit, of.session);
				hash.high = high;
				return true;
			}
			case "item":
				if (of.item === undefined) return false;
				hash.of(of.item);
				return true;
			case "arm":
				if (decided === null) return false;
				hash.of(decided.experiment, decided.arm);
				return true;
			case "experiment":
				if (decided === null) return false;
				hash.of(decided.experiment);
				return true;
		}
	}

	/** Like `find`, of an event that is taken back. */
	findAgain(
		by: LiveKey,
		unit: string,
		{ session, itemHigh, itemLow }: Written,
		decided: DecidedArm | null,
	): boolean {
		const hash = this.hash;
		if (by === "session") {
			hash.of(unit);
			hash.low = session;
			return session !== 0;
		}
		if (by === "item") {
			hash.high = itemHigh;
			hash.low = itemLow;
			return itemHigh !== 0 || itemLow !== 0;
		}
		return this.find(by, { unit }, decided);
	}
}
