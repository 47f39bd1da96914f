import { type DecisionRow, LOG_SUBJECT } from "#core/log";
import { findRow } from "#usecases/ingesting";
import type { RecentDecisions } from "./ports.js";

/**
 * The newest decisions of this decider, kept in memory until the database surely has them or so many came after: a decision can be
 * found from before its answer goes out. What is kept is the packs as they were published, one array of bytes for all decisions of a
 * pack: as rows, the newest 20,000 were half a million objects, and garbage collections stopped the process for 27 ms.
 */
export class RememberedDecisions implements RecentDecisions {
	private readonly packs = new Map<string, Uint8Array>();
	/** Ids by age, the oldest at `next`. A map finds its own oldest key slowly once many before it were deleted. */
	private readonly ring: string[] = [];
	private next = 0;

	/**
	 * @param waiting finds a decision that waits to be published, in memory or in the spool
	 * @param search finds one in the stream; throws where it cannot tell
	 */
	constructor(
		private readonly waiting: (
			id: string,
		) => DecisionRow | null | Promise<DecisionRow | null>,
		private readonly search: (
			id: string,
		) => Promise<DecisionRow | null> = async () => null,
		private readonly most = 20_000,
	) {}

	/** @param pack a message of `segue.log.pack`, by now safe; the caller changes its bytes no more */
	remember(rows: readonly { readonly id: string }[], pack: Uint8Array): void {
		for (const { id } of rows) {
			const oldest = this.ring[this.next];
			if (oldest !== undefined) this.packs.delete(oldest);
			this.ring[this.next] = id;
			this.next = (this.next + 1) % this.most;
			this.packs.set(id, pack);
		}
	}

	async known(id: string): Promise<DecisionRow | null> {
		const pack = this.packs.get(id);
		const row = pack === undefined ? null : findRow(LOG_SUBJECT, pack, id);
		return row ?? (await this.waiting(id));
	}

	async find(id: string): Promise<DecisionRow | null> {
		return (await this.known(id)) ?? (await this.search(id));
	}
}
