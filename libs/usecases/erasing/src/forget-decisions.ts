import {
	type DecisionRow,
	decodeMessage,
	LOG_SUBJECT,
	timeOfId,
} from "#core/log";
import { Repeated } from "#usecases/pacing";
import type { ErasedSince, ErasedUnits } from "./ports.js";

/** Packs of decisions that a decider remembers, as far as it lets go of them. */
export interface Remembered {
	forget(
		mayHold: (pack: Uint8Array) => boolean,
		isGone: (row: DecisionRow) => boolean,
	): Promise<void>;
}

/** What one unit was decided up to the instant, milliseconds; what it is decided after that stays. */
export function forgetUnit(
	remembered: Remembered,
	unit: string,
	erasedAt: number,
): Promise<void> {
	// As the codec writes it.
	const bytes = Buffer.from(JSON.stringify(unit));
	return remembered.forget(
		(pack) =>
			Buffer.from(pack.buffer, pack.byteOffset, pack.byteLength).includes(
				bytes,
			),
		(row) => row.unit === unit && timeOfId(row.id) <= erasedAt,
	);
}

const POLL_MS = 1_000;
/** Erasures commit one after another, but clocks may be set back. */
const OVERLAP_MS = 10_000;
/** How far ahead of the database's clock a decider's may be. */
const CLOCKS_APART_MS = 3_600_000;

/**
 * Forgets what units that were erased elsewhere were decided here. Tombstones name nobody, so the unit of each remembered decision is
 * hashed, once, when the first erasure after it is heard of.
 */
export class FollowErasures {
	/** Marks of the units of a pack. */
	readonly #marks = new WeakMap<Uint8Array, Float64Array>();
	/** Of the newest erasure heard of, by the database's clock; null before. */
	#latest: number | null = null;
	/** One poll at a time: a database that does not answer is not asked again meanwhile. */
	readonly #polling: Repeated;

	constructor(
		private readonly erased: ErasedUnits,
		private readonly remembered: Remembered,
		private readonly clock: { now(): number },
		failed: (error: unknown) => void,
		/** Whatever else is kept of units here. */
		private readonly forgetErased: (
			erased: ErasedSince,
		) => Promise<void> = async () => {},
	) {
		this.#polling = new Repeated(() => this.poll(), POLL_MS, failed);
	}

	start(): void {
		this.#polling.start();
	}

	stop(): Promise<void> {
		return this.#polling.stop();
	}

	async poll(): Promise<void> {
		const erased = await this.erased.erasedSince(
			(this.#latest ?? this.clock.now() - CLOCKS_APART_MS) - OVERLAP_MS,
		);
		if (erased.latest === null) return;
		this.#latest = Math.max(this.#latest ?? 0, erased.latest);
		await this.forgetErased(erased);
		await this.remembered.forget(
			(pack) => {
				let marks = this.#marks.get(pack);
				if (marks === undefined) {
					marks = Float64Array.from(unitsOf(pack), erased.mark);
					this.#marks.set(pack, marks);
				}
				return marks.some((mark) => erased.marks.has(mark));
			},
			({ unit, id }) => timeOfId(id) <= (erased.erasedAt(unit) ?? 0),
		);
	}
}

function unitsOf(pack: Uint8Array): string[] {
	const decoded = decodeMessage(LOG_SUBJECT, pack);
	if (decoded.kind !== "decisions") return [];
	return decoded.items.flatMap((item) => (item.ok ? [item.value.unit] : []));
}
