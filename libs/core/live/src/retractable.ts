import { type Kept, type MakeColumn, RecentIds } from "./recent-ids.js";

/** What must be known of an event to take it out of the windows it was written to. */
export interface Written {
	/** Which of the types that are followed. */
	type: number;
	at: number;
	/** Whether it counted for an arm and experiment. */
	decided: boolean;
	/** Low half of its session's hash, 0 where it has none; and its item's. */
	session: number;
	itemHigh: number;
	itemLow: number;
	/** By place; NaN: none. */
	numbers: Float64Array;
}

export function nothingWritten(numbers: number): Written {
	return {
		type: 0,
		at: 0,
		decided: false,
		session: 0,
		itemHigh: 0,
		itemLow: 0,
		numbers: new Float64Array(numbers),
	};
}

const AT = 0;
const MARK = 1;
const FIRST_NUMBER = 2;

/**
 * Events that a retract may take back, as long as they are remembered: those that name a decision, since every retract does. Each has a
 * mark: 0 where it was taken back, also before it came.
 * Memory: `RecentIds` with 10 bytes a slot, 8 for each number that features read, 4 where some are by session and 8 where by item.
 */
export class Retractable {
	readonly #ids: RecentIds;
	readonly #session: number;
	readonly #item: number;
	readonly #found: Written;

	constructor(
		most: number,
		numbers: number,
		{ bySession, byItem }: { bySession: boolean; byItem: boolean },
	) {
		const columns: MakeColumn[] = [
			(slots) => new Float64Array(slots),
			(slots) => new Uint16Array(slots),
		];
		for (let i = 0; i < numbers; i++)
			columns.push((slots) => new Float64Array(slots));
		const halves = (count: number) => {
			for (let i = 0; i < count; i++)
				columns.push((slots) => new Uint32Array(slots));
			return count === 0 ? -1 : columns.length - count;
		};
		this.#session = halves(bySession ? 1 : 0);
		this.#item = halves(byItem ? 2 : 0);
		this.#ids = new RecentIds(most, columns);
		this.#found = nothingWritten(numbers);
	}

	get bytes(): number {
		return this.#ids.bytes;
	}

	add(high: number, low: number, written: Written): void {
		const kept = this.#ids.add(high, low);
		if (kept === null) return;
		const { type, at, decided, numbers } = written;
		put(kept, AT, at);
		put(kept, MARK, 1 + 2 * type + (decided ? 1 : 0));
		for (let i = 0; i < numbers.length; i++)
			put(kept, FIRST_NUMBER + i, numbers[i] as number);
		if (this.#session >= 0) put(kept, this.#session, written.session);
		if (this.#item < 0) return;
		put(kept, this.#item, written.itemHigh);
		put(kept, this.#item + 1, written.itemLow);
	}

	/** Before the event came. */
	addTakenBack(high: number, low: number): void {
		const kept = this.#ids.add(high, low);
		// A slot that is used again has the mark of whose it was.
		if (kept !== null) put(kept, MARK, 0);
	}

	isTakenBack(high: number, low: number): boolean {
		const kept = this.#ids.find(high, low);
		return kept !== null && get(kept, MARK) === 0;
	}

	/** The event, which from now on is taken back; null where it is not remembered or was taken back before. Until the next call. */
	take(high: number, low: number): Written | null {
		const kept = this.#ids.find(high, low);
		if (kept === null) return null;
		const mark = get(kept, MARK);
		if (mark === 0) return null;
		const found = this.#found;
		found.type = (mark - 1) >>> 1;
		found.decided = ((mark - 1) & 1) === 1;
		found.at = get(kept, AT);
		for (let i = 0; i < found.numbers.length; i++)
			found.numbers[i] = get(kept, FIRST_NUMBER + i);
		found.session = this.#session < 0 ? 0 : get(kept, this.#session);
		found.itemHigh = this.#item < 0 ? 0 : get(kept, this.#item);
		found.itemLow = this.#item < 0 ? 0 : get(kept, this.#item + 1);
		put(kept, MARK, 0);
		return found;
	}
}

function get({ columns, at }: Kept, column: number): number {
	return columns[column]?.[at] as number;
}

function put({ columns, at }: Kept, column: number, value: number): void {
	(columns[column] as Float64Array)[at] = value;
}
