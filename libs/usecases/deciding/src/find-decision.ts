import { isDecisionId } from "#core/log";
import { fail } from "#usecases/errors";
import type {
	DecisionReads,
	DecisionToCome,
	RecentDecisions,
	StoredDecision,
} from "./ports.js";

/**
 * A decision with its events: from the database once it is there, before that from what this decider remembers of its own answers.
 * Its events may be stored before itself: where nobody has the decision, they are told alone.
 */
export class FindDecision {
	constructor(
		private readonly reads: DecisionReads,
		private readonly recent: RecentDecisions,
		/** After how long a database that does not answer is not waited for where the decision is known here. */
		private readonly silentMs = 300,
		/** After how long it is not waited for at all. */
		private readonly longestMs = 2_000,
	) {}

	/**
	 * Throws unknown-decision, overloaded or database-away where it cannot be told; the database's own error where only the database
	 * could tell (the door tells away from broken).
	 */
	async execute(id: string): Promise<StoredDecision | DecisionToCome> {
		if (!isDecisionId(id))
			throw unknown(id, "A decision id is a UUIDv7 in lower case.");
		const reading = this.read(id);
		let read = await within(reading, this.silentMs);
		if (read === null) {
			const row = await this.recent.known(id);
			if (row !== null) return { row, learned: null, events: [] };
			read = (await within(reading, this.longestMs)) ?? silent();
		}
		if (read.ok && read.stored?.row) return read.stored;
		const row = await this.recent.find(id);
		if (row !== null) {
			const events = read.ok ? (read.stored?.events ?? []) : [];
			return { row, learned: null, events };
		}
		if (!read.ok) throw read.error;
		// While it was looked for in the stream, it may have been learned and dropped there.
		const again = (await within(this.read(id), this.longestMs)) ?? silent();
		if (!again.ok) throw again.error;
		if (again.stored?.row) return again.stored;
		if (again.stored !== null)
			return { row: null, events: again.stored.events };
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

function silent(): Read {
	const detail = "The database does not answer. Ask again soon.";
	return { ok: false, error: fail("database-away", detail) };
}

/** What the promise gives, or null where it takes longer. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | null> {
	let timer: NodeJS.Timeout | undefined;
	const over = new Promise<null>((resolve) => {
		timer = setTimeout(() => resolve(null), ms);
	});
	const first = await Promise.race([promise, over]);
	clearTimeout(timer);
	return first;
}

function unknown(id: string, why: string): Error {
	return fail(
		"unknown-decision",
		`There is no decision "${id.slice(0, 64)}". ${why}`,
	);
}
