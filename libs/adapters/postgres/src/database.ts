import pg from "pg";
import {
	isReadTimeout,
	isTransient,
	isUselessConnection,
} from "./transient.js";

const INT8 = 20;
/** Counters and ids stay far below 2⁵³, so int8 comes back as a number. */
const types: pg.CustomTypesConfig = {
	getTypeParser: ((oid: number, format?: "text" | "binary") =>
		oid === INT8
			? Number
			: pg.types.getTypeParser(
					oid,
					format as "text",
				)) as typeof pg.types.getTypeParser,
};

/** Sessions end themselves rather than hold others: a stopped process keeps its locks for so long at most, with each of them. */
const IDLE_IN_TRANSACTION_MS = 5_000;
const session = [
	"-c lock_timeout=10000",
	"-c timezone=UTC",
	// Whatever the server's default: a learner acknowledges what it committed, so that must be synced.
	"-c synchronous_commit=on",
	// A peer that vanished without a word frees its locks within eleven seconds.
	"-c tcp_keepalives_idle=5",
	"-c tcp_keepalives_interval=2",
	"-c tcp_keepalives_count=3",
	"-c tcp_user_timeout=11000",
].join(" ");

export interface DatabaseOptions {
	readonly connectionString: string;
	readonly applicationName: string;
	/** Connections at most. */
	readonly most?: number;
	/** Connections that stay open while nothing is asked. */
	readonly least?: number;
	/** A statement longer than this is ended, so that a report cannot hold a snapshot. */
	readonly statementTimeoutMs?: number;
	/** How long a session may stand still inside a transaction. Default 5 s. */
	readonly idleInTransactionMs?: number;
	/** Told of connections lost while idle; they are replaced on next use. */
	readonly onLost?: (error: Error) => void;
}

/** A server that lives ends a statement at its timeout; one frozen, or behind a dead network, is given up this much later. */
const READ_MARGIN_MS = 2_000;

export function connectionConfig(options: DatabaseOptions): pg.ClientConfig {
	const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
	const idleMs = options.idleInTransactionMs ?? IDLE_IN_TRANSACTION_MS;
	return {
		connectionString: options.connectionString,
		application_name: options.applicationName,
		connectionTimeoutMillis: 3_000,
		keepAlive: true,
		keepAliveInitialDelayMillis: 5_000,
		statement_timeout: statementTimeoutMs,
		query_timeout: statementTimeoutMs + READ_MARGIN_MS,
		options: `${session} -c idle_in_transaction_session_timeout=${idleMs}`,
		types,
	};
}

/** A pool of connections and the two ways to use it. */
export class Database {
	readonly #pool: pg.Pool;
	readonly #most: number;
	#isSpared = false;
	#asking: Promise<boolean> | null = null;

	constructor(readonly options: DatabaseOptions) {
		this.#most = options.most ?? 8;
		this.#pool = new pg.Pool({
			...connectionConfig(options),
			max: this.#most,
			min: options.least ?? 0,
			idleTimeoutMillis: 30_000,
		});
		this.#pool.on("error", (error) => options.onLost?.(error));
	}

	/**
	 * One statement; read-only or idempotent, since it is tried again once where the connection was lost. With a name it is prepared
	 * once per connection.
	 */
	async query<Row extends pg.QueryResultRow>(
		text: string,
		values: readonly unknown[] = [],
		name?: string,
	): Promise<Row[]> {
		const statement = { text, values: [...values], name };
		try {
			return (await this.#pool.query<Row>(statement)).rows;
		} catch (error) {
			if (!isTransient(error) || isReadTimeout(error)) throw error;
			return (await this.#pool.query<Row>(statement)).rows;
		}
	}

	/** Commits what `work` did, or rolls all of it back. */
	transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
		return this.#within("begin", work);
	}

	/** Several reads of one snapshot. Not for long: what it sees cannot be cleaned up meanwhile. */
	snapshot<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
		return this.#within(
			"begin isolation level repeatable read read only",
			work,
		);
	}

	/**
	 * Hands `work` a connection beside that of a transaction it begins, with `settings` until then, or null where there are not two free:
	 * one who waited for a second while holding a first might wait for another who does so too. `work` leaves it outside a transaction.
	 */
	async withSpare<T>(
		settings: string,
		work: (spare: pg.PoolClient | null) => Promise<T>,
	): Promise<T> {
		const { idleCount, totalCount, waitingCount } = this.#pool;
		const free = this.#most - totalCount + idleCount;
		if (this.#isSpared || waitingCount > 0 || free < 2) return work(null);
		this.#isSpared = true;
		try {
			return await this.#lend(settings, work);
		} finally {
			this.#isSpared = false;
		}
	}

	#lend<T>(
		settings: string,
		work: (client: pg.PoolClient) => Promise<T>,
	): Promise<T> {
		return this.#connected(async (client, discard) => {
			try {
				await client.query(settings);
				const result = await work(client);
				await client.query("reset all").catch(discard);
				return result;
			} catch (error) {
				// It may be in the midst of anything.
				discard(error as Error);
				throw error;
			}
		});
	}

	#within<T>(
		begin: string,
		work: (client: pg.PoolClient) => Promise<T>,
	): Promise<T> {
		return this.#connected(async (client, discard) => {
			try {
				await client.query(begin);
				const result = await work(client);
				await client.query("commit");
				return result;
			} catch (error) {
				// A connection that left a statement unanswered would leave the rollback so too; closing it rolls back.
				if (isUselessConnection(error)) discard(error as Error);
				else await client.query("rollback").catch(discard);
				throw error;
			}
		});
	}

	/** With a connection of the pool, which is closed afterwards where it was lost or is to be discarded. */
	async #connected<T>(
		work: (
			client: pg.PoolClient,
			discard: (error: Error) => void,
		) => Promise<T>,
	): Promise<T> {
		const client = await this.#pool.connect();
		let broken: Error | undefined;
		const discard = (error: Error) => {
			broken = error;
		};
		// The pool listens to those that nobody has; without a listener a lost connection would end the process.
		client.on("error", discard);
		try {
			return await work(client, discard);
		} finally {
			client.off("error", discard);
			client.release(broken);
		}
	}

	/** Whether the database answers a question within half a second, or `withinMs`. Those who ask at once share one question. */
	async answers(withinMs = 500): Promise<boolean> {
		this.#asking ??= this.query("select 1").then(
			() => true,
			() => false,
		);
		const asking = this.#asking;
		asking.then(() => {
			if (this.#asking === asking) this.#asking = null;
		});
		let timer: NodeJS.Timeout | undefined;
		const silent = new Promise<boolean>((resolve) => {
			timer = setTimeout(() => resolve(false), withinMs);
		});
		const answered = await Promise.race([asking, silent]);
		clearTimeout(timer);
		return answered;
	}

	async close(): Promise<void> {
		await this.#pool.end();
	}
}
