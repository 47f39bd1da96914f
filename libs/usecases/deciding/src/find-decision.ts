import { isDecisionId } from "#core/log";
import { fail } from "#usecases/errors";
import type {
	DecisionReads,
	RecentDecisions,
	StoredDecision,
} from "./ports.js";

/**
 * A decision with its events: from the database once it is there, before that from what this decider remembers of its own answers.
 * Its events may be stored before itself.
 */
export class FindDecision {
	constructor(
		private readonly reads: DecisionReads,
		private readonly recent: RecentDecisions,
	) {}

	/** Throws unknown-decision; database-away where only the database could tell. */
	async execute(id: string): Promise<StoredDecision> {
		if (!isDecisionId(id))
			throw unknown(id, "A decision id is a UUIDv7 in lower case.");
		const stored = await this.stored(id);
		if (stored !== "away" && stored !== null && stored.row !== null)
			return stored;
		const row = await this.recent.find(id);
		if (row !== null)
			return {
				row,
				learned: null,
				events: stored === "away" ? [] : (stored?.events ?? []),
			};
		if (stored === "away")
			throw fail(
				"database-away",
				`Whether there is a decision ${id} cannot be told while the database is away. Retry later.`,
			);
		throw unknown(
			id,
			"It was never made, was erased, or has not reached the database yet.",
		);
	}

	private async stored(
		id: string,
	): Promise<Awaited<ReturnType<DecisionReads["find"]>> | "away"> {
		try {
			return await this.reads.find(id);
		} catch {
			return "away";
		}
	}
}

function unknown(id: string, why: string): Error {
	return fail(
		"unknown-decision",
		`There is no decision "${id.slice(0, 64)}". ${why}`,
	);
}
