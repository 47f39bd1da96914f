import { type DecisionRow, timeOfId } from "#core/log";
import type { RecentDecisions } from "#usecases/deciding";
import type { Tombstones } from "./ports.js";

/** A decision that the database does not have may be one that was erased: only the unit's tombstone tells. */
export class UnerasedDecisions implements RecentDecisions {
	constructor(
		private readonly recent: RecentDecisions,
		private readonly tombstones: Tombstones,
		/** A database that does not answer by then is not asked: what this decider answered itself can be found while it is away. */
		private readonly withinMs = 300,
	) {}

	async known(id: string): Promise<DecisionRow | null> {
		return this.#unlessErased(await this.recent.known(id));
	}

	async find(id: string): Promise<DecisionRow | null> {
		return this.#unlessErased(await this.recent.find(id));
	}

	async #unlessErased(row: DecisionRow | null): Promise<DecisionRow | null> {
		if (row === null) return null;
		let timer: NodeJS.Timeout | undefined;
		const silent = new Promise<null>((resolve) => {
			timer = setTimeout(() => resolve(null), this.withinMs);
		});
		const asked = this.tombstones.erasedAt(row.unit).catch(() => null);
		const erasedAt = await Promise.race([asked, silent]);
		clearTimeout(timer);
		return erasedAt !== null && timeOfId(row.id) <= erasedAt ? null : row;
	}
}
