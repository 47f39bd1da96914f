import { createHmac, randomInt } from "node:crypto";
import pg from "pg";
import { SLOT } from "./advisory-locks.js";
import { connectionConfig, type DatabaseOptions } from "./database.js";

/** Shards of learners; erasure adds to shard 16 and retention has 17 (see erasure-transaction.ts, closed-sums.ts). */
const SLOTS = 16;

/**
 * A batch finds its rows by their keys, whatever the planner believes of their tables: a day's partition is empty when its statements
 * are planned, and a scan of it, cheap then, is a scan of a million rows an hour later.
 */
const BY_KEYS = [
	"-c plan_cache_mode=force_generic_plan",
	"-c enable_seqscan=off",
	"-c enable_bitmapscan=off",
	"-c enable_hashjoin=off",
	"-c enable_mergejoin=off",
	// A forbidden way that is the only one looks so dear to servers before 18 that they would compile it.
	"-c jit=off",
].join(" ");

/** One connection of a learner's own, which holds the slot of its shard. Both are taken again after a loss. */
export class LearnerSession {
	#client: pg.Client | null = null;
	#slot = 0;
	#erasureKey: Buffer = Buffer.alloc(0);

	constructor(private readonly options: DatabaseOptions) {}

	/** The shard whose rows this learner adds to. */
	get shard(): number {
		return this.#slot;
	}

	async client(): Promise<pg.Client> {
		if (this.#client) return this.#client;
		const config = connectionConfig(this.options);
		const client = new pg.Client({
			...config,
			options: `${config.options} ${BY_KEYS}`,
		});
		client.on("error", (error) => {
			this.options.onLost?.(error);
			this.drop(client);
		});
		try {
			await client.connect();
			const { rows } = await client.query<{ erasure_key: Buffer }>(
				"select i.erasure_key from installation i",
			);
			if (!rows[0])
				throw new Error(
					"The installation row is missing: the database was not migrated by Segue.",
				);
			this.#erasureKey = rows[0].erasure_key;
			this.#slot = await takeSlot(client);
		} catch (error) {
			client.end().catch(() => {});
			throw error;
		}
		this.#client = client;
		return client;
	}

	/** HMAC-SHA-256 under the installation's key: how tombstones and signals name a unit. */
	keyed(text: string): Buffer {
		return createHmac("sha256", this.#erasureKey).update(text).digest();
	}

	drop(client: pg.Client): void {
		if (this.#client === client) this.#client = null;
		client.end().catch(() => {});
	}

	async close(): Promise<void> {
		const client = this.#client;
		this.#client = null;
		await client?.end();
	}
}

/** The slot's lock belongs to the session, so a crash frees it. Where all sixteen are taken, two learners share one and are only slower. */
async function takeSlot(client: pg.Client): Promise<number> {
	for (let slot = 0; slot < SLOTS; slot++) {
		const { rows } = await client.query<{ taken: boolean }>(
			"select pg_try_advisory_lock($1, $2) as taken",
			[SLOT, slot],
		);
		if (rows[0]?.taken) return slot;
	}
	return randomInt(SLOTS);
}
