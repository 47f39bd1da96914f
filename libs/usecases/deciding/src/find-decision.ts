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

	/** Throws unknown-decision; the database's own error where only the database could tell (the door tells away from broken). */
	async execute(id: string): Promise<StoredDecision> {
		if (!isDecisionId(id))
			throw unknown(id, "A decision id is a UUIDv7 in lower case.");
		const read = await this.read(id);
		if (read.ok && read.stored?.row) return read.stored;
		const row = await this.recent.find(id);
		if (row !== null) {
			const events = read.ok ? (read.stored?.events ?? []) : [];
			return { row, learned: null, events };
		}
		if (!read.ok) throw read.error;
		throw unknown(
			id,
			"It was never made, was erased, or has not reached the database yet.",
		);
	}

	private async read(id: string): Promise<Read> {
		try {
			return { ok: true, stored: await this.reads.find(id) };
		} catch (error) {
			return { ok: false, error };
		}
	}
}

type Read =
	| {
			readonly ok: true;
			readonly stored: Awaited<ReturnType<DecisionReads["find"]>>;
	  }
	| { readonly ok: false; readonly error: unknown };

function unknown(id: string, why: string): Error {
	return fail(
		"unknown-decision",
		`There is no decision "${id.slice(0, 64)}". ${why}`,
	);
}
