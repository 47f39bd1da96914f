import type { Cells } from "./cells.js";
import type { LiveAsk } from "./live-windows.js";

/**
 * What was read last, until something is heard or let go: a decision reads several features of one key, and the hash of a key takes
 * longer than a read.
 */
export class LastRead {
	#ask: LiveAsk | null = null;
	#kind: unknown = null;
	#cells: Cells | null = null;

	/** Null where the last read was for another ask, or of another kind of key. */
	cells(ask: LiveAsk, kind: unknown): Cells | null {
		return ask === this.#ask && kind === this.#kind ? this.#cells : null;
	}

	keep(ask: LiveAsk, kind: unknown, cells: Cells): Cells {
		this.#ask = ask;
		this.#kind = kind;
		this.#cells = cells;
		return cells;
	}

	forget(): void {
		this.#ask = null;
	}
}
