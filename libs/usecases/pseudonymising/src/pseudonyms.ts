import { createHmac, timingSafeEqual } from "node:crypto";
import { PRINTABLE } from "#core/experiment";

/** A secret under which units are named, from an instant on. */
export interface UnitKey {
	/** 1 to 16 of a–z and 0–9; stands in every pseudonym made with it. */
	readonly id: string;
	/** Milliseconds since the epoch; −∞ where it always has. Before the first key units go by the names that clients give them. */
	readonly from: number;
	/** At least 32 bytes. */
	readonly secret: Uint8Array;
}

/** Bytes of the digest that a pseudonym keeps: two of 2⁴⁰ units share a name with a probability below 2⁻⁴⁸. */
const DIGEST_BYTES = 16;
/** What fingerprints are made of: not printable, so the name of no unit. */
const NO_UNIT = "segue unit key\n";
const PSEUDONYM = /^~([a-z0-9]{1,16})\.[A-Za-z0-9_-]{22}$/;

/**
 * Names for units that tell nobody who they are: `~KEY.DIGEST`, of the first 128 bits of HMAC-SHA-256(secret, unit) in base64url. Which key
 * names a unit is told by an instant, so that every process says the same name however soon it heard of a new key.
 */
export class Pseudonyms {
	/** From when on units are named, milliseconds; −∞ where they always were. */
	readonly begin: number;
	/** Latest first. */
	private readonly keys: readonly UnitKey[];
	private readonly ids: ReadonlySet<string>;

	/** @param keys at least one, with ids and instants that differ */
	constructor(keys: readonly UnitKey[]) {
		this.keys = [...keys].sort((a, b) => b.from - a.from);
		this.ids = new Set(keys.map(({ id }) => id));
		this.begin = this.keys.at(-1)?.from ?? Number.POSITIVE_INFINITY;
	}

	/** The unit's name at an instant. A name made with one of the keys stays as it is, and so does what can be no unit, which others refuse. */
	at(unit: string, instant: number): string {
		return this.upTo(unit, instant)[0] ?? unit;
	}

	/** The names that the unit has had up to an instant, that of the instant first. */
	upTo(unit: string, instant: number): readonly string[] {
		if (this.isLeft(unit)) return [unit];
		const named = this.keys
			.filter(({ from }) => from <= instant)
			.map((key) => nameOf(unit, key));
		return this.begin === Number.NEGATIVE_INFINITY ? named : [...named, unit];
	}

	/** Every name that what is kept of the unit may go by: its own too, under which it came past the door. */
	all(unit: string): readonly string[] {
		if (this.isLeft(unit)) return [unit];
		return [...this.keys.map((key) => nameOf(unit, key)), unit];
	}

	/** Whether what happened at an instant names its unit as it must. */
	isNamed(unit: string, instant: number): boolean {
		return instant < this.begin || this.isPseudonym(unit);
	}

	/** When units got the names that they have at an instant. */
	since(instant: number): number {
		return (
			this.keys.find(({ from }) => from <= instant)?.from ??
			Number.NEGATIVE_INFINITY
		);
	}

	/** Whether units had other names before an instant. */
	areRenamed(instant: number): boolean {
		return this.since(instant) !== Number.NEGATIVE_INFINITY;
	}

	/** A digest of each secret, by the key's id. It tells secrets apart and nothing of them. */
	fingerprints(): ReadonlyMap<string, Uint8Array> {
		return new Map(
			this.keys.map(({ id, secret }) => [id, digestOf(secret, NO_UNIT)]),
		);
	}

	private isLeft(unit: string): boolean {
		return this.isPseudonym(unit) || !PRINTABLE.test(unit);
	}

	/** Whether it is a name made with one of the keys. */
	isPseudonym(unit: string): boolean {
		const [, id] = PSEUDONYM.exec(unit) ?? [];
		return id !== undefined && this.ids.has(id);
	}
}

/**
 * A key has another secret than the installation has known it by: then this process would call the same units otherwise.
 *
 * @param kept fingerprints of the installation's keys
 * @returns a sentence for the operator; null where the secrets fit
 */
export function otherSecret(
	pseudonyms: Pseudonyms | null,
	kept: ReadonlyMap<string, Uint8Array>,
): string | null {
	for (const [id, fingerprint] of pseudonyms?.fingerprints() ?? []) {
		const known = kept.get(id);
		if (known !== undefined && !timingSafeEqual(known, fingerprint))
			return `The key "${id}" of SEGUE_UNIT_KEY has another secret here than this installation names units by: set it to the secret that the other processes have. A new secret takes a new id and an instant (docs/adr/0030-pseudonymous-units.md).`;
	}
	return null;
}

/**
 * Names were made with a key that this process does not have: then it would call the same units otherwise, and find nothing of them.
 *
 * @param unit that a decision was made for, null where none ever was
 * @returns a sentence for the operator; null where the keys fit
 */
export function missingKey(
	unit: string | null,
	pseudonyms: Pseudonyms | null,
): string | null {
	const [, id] = PSEUDONYM.exec(unit ?? "") ?? [];
	if (id === undefined || pseudonyms?.isPseudonym(unit as string)) return null;
	return `Units are named by the key "${id}", which SEGUE_UNIT_KEY does not have here: set it to the keys that the other processes of this installation have.`;
}

function nameOf(unit: string, { id, secret }: UnitKey): string {
	const digest = digestOf(secret, unit);
	return `~${id}.${digest.subarray(0, DIGEST_BYTES).toString("base64url")}`;
}

function digestOf(secret: Uint8Array, text: string): Buffer {
	return createHmac("sha256", secret).update(text).digest();
}
