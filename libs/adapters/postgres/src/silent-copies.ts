import { GATE } from "./advisory-locks.js";
import type { Database } from "./database.js";

/** How long a learner may stand still in the midst of a copy. */
const LONGEST_SILENCE_MS = 2_000;

interface Waiting {
	/** Names the session, the statement and how far it came. */
	readonly what: string;
	readonly pid: number;
}

const waiting = `select a.pid, concat_ws(' ', a.pid, a.backend_start, a.query_start, p.bytes_processed) as what
	from pg_stat_activity a
	join pg_locks l on l.pid = a.pid and l.locktype = 'advisory' and l.classid = $1 and l.granted
	left join pg_stat_progress_copy p on p.pid = a.pid
	where a.datname = current_database() and a.usename = current_user and a.state = 'active' and a.wait_event = 'ClientRead'`;

/**
 * Ends the sessions behind the gate that stand still in the midst of a copy, and so frees what they have locked. Nothing else does: while
 * PostgreSQL waits for a copy's data it heeds neither idle_in_transaction_session_timeout nor statement_timeout, only its end.
 * A copy that goes on, however slowly, is left alone. A learner that was ended tries its batch again.
 */
export class SilentCopies {
	/** Since when each has been seen as it is, milliseconds. */
	#seen: ReadonlyMap<string, number> = new Map();

	constructor(
		private readonly database: Pick<Database, "query">,
		private readonly now: () => number = () => performance.now(),
	) {}

	/** To be called again and again: one look tells nothing. */
	async end(): Promise<void> {
		const found = await this.database.query<Waiting>(
			waiting,
			[GATE],
			"segue-waiting-copies",
		);
		const now = this.now();
		const before = this.#seen;
		this.#seen = new Map(
			found.map(({ what }) => [what, before.get(what) ?? now]),
		);
		const silent = found.filter(
			({ what }) =>
				now - (this.#seen.get(what) as number) >= LONGEST_SILENCE_MS,
		);
		if (silent.length > 0)
			await this.database.query(
				"select pg_terminate_backend(t.pid) from unnest($1::int[]) as t (pid)",
				[silent.map(({ pid }) => pid)],
			);
	}
}
