import type { Pool } from "pg";
import type { StreamMessage, Tail } from "#usecases/ingesting";
import type { Bell } from "./bell.js";
import type { OnProblem } from "./options.js";
import { readTail, type TailPage } from "./postgres-sql.js";
import type { TailWish } from "./tail-wish.js";
import { BackOff } from "./wait.js";

const PAGE = 64;
const LONGEST_WAIT_MS = 1_000;

/**
 * Reads stream_messages so that nothing is missed, although positions and even transaction ids become visible out of order.
 *
 * The cursor is a transaction id below which everything is final (committed and delivered, or rolled back). Each page reads from
 * the cursor on, leaves out the positions already delivered, and delivers at once what is visible. The snapshot's xmin then says
 * how far nothing can appear any more; the cursor moves there and the positions below it are forgotten. So the memory is as long
 * as the oldest open writing transaction of the server, and a transaction that commits late is delivered late, never lost.
 */
export class PostgresTail implements Tail {
	readonly caughtUp: Promise<void>;
	readonly #pool: Pool;
	readonly #prefix: string;
	readonly #deliver: (message: StreamMessage) => void;
	readonly #bell: Bell;
	readonly #pollMs: number;
	readonly #onProblem: OnProblem;
	readonly #stop = new AbortController();
	readonly #ended: Promise<void>;
	readonly #seen = new Map<number, bigint>();
	#sayCaughtUp: () => void = () => {};
	#since: number;
	#newest: number;
	#cursor = 0n;

	constructor(
		pool: Pool,
		wish: TailWish,
		bell: Bell,
		pollMs: number,
		onProblem: OnProblem,
	) {
		this.#pool = pool;
		this.#prefix = wish.filter.replace(/>$/, "");
		this.#since = wish.since;
		this.#newest = wish.since;
		this.#deliver = wish.deliver;
		this.#bell = bell;
		this.#pollMs = pollMs;
		this.#onProblem = onProblem;
		this.caughtUp = new Promise((resolve) => {
			this.#sayCaughtUp = resolve;
		});
		this.#ended = this.#run();
	}

	async close(): Promise<void> {
		this.#stop.abort();
		this.#bell.ring();
		await this.#ended;
	}

	async #run(): Promise<void> {
		const backOff = new BackOff(LONGEST_WAIT_MS);
		while (!this.#stop.signal.aborted) {
			const rung = this.#bell.next();
			try {
				const more = await this.#turn();
				backOff.reset();
				if (more || this.#stop.signal.aborted) continue;
				this.#sayCaughtUp();
				await rung.within(this.#pollMs);
			} catch (error) {
				if (this.#stop.signal.aborted) return;
				this.#onProblem(
					`The tail of ${this.#prefix} could not read; it tries again.`,
					error,
				);
				await backOff.wait(this.#stop.signal);
			} finally {
				rung.cancel();
			}
		}
	}

	/** True while there may be more to read at once. */
	async #turn(): Promise<boolean> {
		const page = await readTail(
			this.#pool,
			this.#prefix,
			this.#since,
			this.#cursor,
			[...this.#seen.keys()],
			PAGE,
		);
		if (page.settled < this.#cursor) {
			// Another server behind the same address (a restored backup): its transaction ids mean nothing here.
			this.#cursor = 0n;
			this.#since = this.#newest;
			return true;
		}
		for (const row of page.rows) {
			if (this.#stop.signal.aborted) return false;
			this.#seen.set(row.position, row.transaction);
			this.#newest = Math.max(this.#newest, row.storedAt);
			this.#hand({
				subject: row.subject,
				body: row.body,
				storedAt: row.storedAt,
				position: row.position,
				deliveries: 1,
			});
		}
		this.#advance(page);
		return page.rows.length === PAGE;
	}

	#advance(page: TailPage): void {
		const last = page.rows.length === PAGE ? page.rows.at(-1) : undefined;
		this.#cursor =
			last !== undefined && last.transaction < page.settled
				? last.transaction
				: page.settled;
		for (const [position, transaction] of this.#seen) {
			if (transaction < this.#cursor) this.#seen.delete(position);
		}
	}

	#hand(message: StreamMessage): void {
		try {
			this.#deliver(message);
		} catch (error) {
			this.#onProblem(
				`The reader of ${this.#prefix} could not take message ${message.position}; it goes on behind it.`,
				error,
			);
		}
	}
}
