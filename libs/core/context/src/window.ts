/** A signal as the windows count it. */
export interface Signal {
	readonly unit: string;
	readonly type: string;
	/** Event id; a repeated id counts once. */
	readonly id: string;
	/** Event time, milliseconds since the epoch. */
	readonly at: number;
}

export interface WindowLimits {
	/** Longest window that will be asked for, milliseconds. */
	readonly longestMs: number;
	/** Beyond it the unit heard of longest ago leaves. */
	readonly mostUnits: number;
	/** Beyond it a unit's oldest event leaves; its counts saturate there. */
	readonly mostEventsPerUnit: number;
}

const DEFAULTS: WindowLimits = {
	longestMs: 3_600_000,
	mostUnits: 200_000,
	mostEventsPerUnit: 256,
};
/** Event times may be so far ahead of the clock that windows are counted back from. */
const AHEAD_MS = 5 * 60_000;
/** Units looked at for leaving, per event added: keeps the sweep's cost a constant per event. */
const SWEPT_PER_ADD = 2;

type Entry = Pick<Signal, "type" | "id" | "at">;

/**
 * Counts of each unit's recent events over event time, in bounded memory. Events may come in any order and repeated.
 * Units are kept in the order in which they were last heard of; those whose events are all older than the longest window
 * (measured from the newest event time seen) leave as others come, or by `prune`. Refuse events of the far future before
 * adding them: they would make all others look old.
 */
export class LiveWindows {
	readonly #limits: WindowLimits;
	readonly #keptMs: number;
	/** Per unit its events, ascending by time. */
	readonly #units = new Map<string, Entry[]>();
	#newest = Number.NEGATIVE_INFINITY;

	constructor(limits: Partial<WindowLimits> = {}) {
		this.#limits = { ...DEFAULTS, ...limits };
		this.#keptMs = this.#limits.longestMs + AHEAD_MS;
	}

	/** Units held now. */
	get size(): number {
		return this.#units.size;
	}

	add(signal: Signal): void {
		this.#newest = Math.max(this.#newest, signal.at);
		if (signal.at <= this.#newest - this.#keptMs) return;
		const entries = this.#units.get(signal.unit) ?? [];
		if (entries.some((entry) => entry.id === signal.id)) return;
		insertByTime(entries, { type: signal.type, id: signal.id, at: signal.at });
		this.#dropOld(entries, this.#newest);
		if (entries.length > this.#limits.mostEventsPerUnit) entries.shift();
		this.#units.delete(signal.unit);
		this.#units.set(signal.unit, entries);
		this.#sweep();
	}

	/** Events of one type with a time in (now − windowMs, now]. */
	count(unit: string, type: string, windowMs: number, now: number): number {
		const entries = this.#units.get(unit);
		if (entries === undefined) return 0;
		let count = 0;
		for (let i = entries.length - 1; i >= 0; i--) {
			const entry = entries[i] as Entry;
			if (entry.at <= now - windowMs) break;
			if (entry.at <= now && entry.type === type) count++;
		}
		return count;
	}

	/** Drops every unit without an event in the longest window before `now`. */
	prune(now: number): void {
		for (const [unit, entries] of this.#units) {
			this.#dropOld(entries, now);
			if (entries.length === 0) this.#units.delete(unit);
		}
	}

	/** Forgets a unit, as its erasure demands. */
	forget(unit: string): void {
		this.#units.delete(unit);
	}

	#dropOld(entries: Entry[], now: number): void {
		const firstKept = entries.findIndex(
			(entry) => entry.at > now - this.#keptMs,
		);
		entries.splice(0, firstKept < 0 ? entries.length : firstKept);
	}

	#sweep(): void {
		let looked = 0;
		for (const [unit, entries] of this.#units) {
			const full = this.#units.size > this.#limits.mostUnits;
			if (!full && looked++ >= SWEPT_PER_ADD) return;
			const last = entries.at(-1);
			if (full || last === undefined || last.at <= this.#newest - this.#keptMs)
				this.#units.delete(unit);
			else return;
		}
	}
}

function insertByTime(entries: Entry[], entry: Entry): void {
	let place = entries.length;
	while (place > 0 && (entries[place - 1] as Entry).at > entry.at) place--;
	entries.splice(place, 0, entry);
}
