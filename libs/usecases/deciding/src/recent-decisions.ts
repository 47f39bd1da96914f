import type { DecisionRow, DecodedMessage } from "#core/log";
import type { DecisionLog, RecentDecisions } from "./ports.js";

/**
 * The newest decisions of this decider, kept in memory until the database surely has them or so many came after.
 * It stands in front of the log: a decision can be found from before its answer goes out. After a restart the tail of `segue.log.>`
 * is handed to `hear`.
 */
export class RememberedDecisions implements DecisionLog, RecentDecisions {
	private readonly rows = new Map<string, DecisionRow>();

	/**
	 * @param waiting finds a decision that waits to be published, in memory or in the spool
	 * @param search finds one in the stream; throws where it cannot tell
	 */
	constructor(
		private readonly log: DecisionLog,
		private readonly waiting: (
			id: string,
		) => DecisionRow | null | Promise<DecisionRow | null>,
		private readonly search: (
			id: string,
		) => Promise<DecisionRow | null> = async () => null,
		private readonly most = 20_000,
	) {}

	async decision(
		row: DecisionRow,
		timeoutMs: number,
	): Promise<"stream" | "spool"> {
		const place = await this.log.decision(row, timeoutMs);
		this.remember(row);
		return place;
	}

	hear(message: DecodedMessage): void {
		if (message.kind !== "decisions") return;
		for (const item of message.items) if (item.ok) this.remember(item.value);
	}

	async known(id: string): Promise<DecisionRow | null> {
		return this.rows.get(id) ?? (await this.waiting(id));
	}

	async find(id: string): Promise<DecisionRow | null> {
		return (await this.known(id)) ?? (await this.search(id));
	}

	private remember(row: DecisionRow): void {
		this.rows.set(row.id, row);
		for (const oldest of this.rows.keys()) {
			if (this.rows.size <= this.most) break;
			this.rows.delete(oldest);
		}
	}
}
