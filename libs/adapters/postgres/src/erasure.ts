import { createHmac } from "node:crypto";
import type pg from "pg";
import type { Definition } from "#core/experiment";
import { unitHash } from "#core/live";
import type { SipKey } from "#core/policy";
import {
	type ErasedFromDatabase,
	type ErasedSince,
	type ErasedUnits,
	type Erasure,
	ErasureBusy,
	type RemovedRows,
	type Tombstones,
} from "#usecases/erasing";
import type { Database } from "./database.js";
import { findLetters } from "./erasure-dead-letters.js";
import { byKeys, byKeysBeside } from "./erasure-sql.js";
import { type Beginning, eraseSome, noRows } from "./erasure-transaction.js";
import { GateBusy, underGate } from "./gate.js";

/** Decisions taken out in one transaction: bounds how long learners wait before the gate. */
const MOST_AT_ONCE = 2_000;
/** Of a keyed hash, where a number tells units apart well enough. */
const MARK_BYTES = 6;

/** An erasure, and for how many of its milliseconds it waited for learners. */
export interface ErasedUnderGate extends ErasedFromDatabase {
	readonly gateMs: number;
}

/**
 * Takes units out of the log and the sums: tombstone first, then their rows, a bounded number in each transaction. Every transaction
 * leaves sums that equal the fold of the log, so one that stops half-way is completed by doing it again.
 */
export class PostgresErasure implements Erasure, Tombstones, ErasedUnits {
	#key: Buffer | null = null;
	/** Rows never change, and reading one takes longer than taking out a hundred decisions. */
	readonly #definitions = new Map<number, Definition>();

	constructor(
		private readonly database: Database,
		private readonly mostAtOnce = MOST_AT_ONCE,
	) {}

	async erase(
		units: readonly string[],
		patienceMs: number,
	): Promise<ErasedUnderGate> {
		const keys = await this.#keysOf(units);
		const liveKeys = await this.#liveKeysOf(units);
		// All letters that are there are looked through before the gate is taken.
		const letters = await findLetters(
			{ query: this.#query } as Pick<pg.ClientBase, "query">,
			units,
		);
		const beginning = { keys, liveKeys, letters };
		return this.database.withSpare(byKeysBeside, (spare) =>
			this.#inSteps(spare, patienceMs, units, beginning),
		);
	}

	async #inSteps(
		spare: pg.PoolClient | null,
		patienceMs: number,
		units: readonly string[],
		beginning: Beginning,
	): Promise<ErasedUnderGate> {
		const removed = noRows();
		const revisions = new Map<string, number>();
		let erasedAt = 0;
		let foldedBefore: number | null = null;
		let gateMs = 0;
		for (let first = true, more = true; more; first = false) {
			const done = await this.#gated(
				patienceMs,
				(client) =>
					eraseSome(
						{ client, spare },
						{
							units,
							most: this.mostAtOnce,
							beginning: first ? beginning : null,
							definitions: this.#definitions,
						},
					),
				(waitedMs) => {
					gateMs += waitedMs;
				},
			);
			for (const name of Object.keys(removed) as (keyof RemovedRows)[])
				removed[name] += done.removed[name];
			for (const [experiment, revision] of done.revisions)
				revisions.set(experiment, revision);
			erasedAt = done.erasedAt ?? erasedAt;
			foldedBefore = done.foldedBefore;
			more = done.more;
		}
		return {
			erasedAt,
			removed,
			revisions,
			foldedBefore,
			gateMs,
		};
	}

	async sweep(units: readonly string[], erasedAt: number): Promise<number> {
		const [row] = await this.database.query<{ n: number }>(
			`with gone as (
				delete from requests r where r.unit = any ($1::text[])
				and r.decision_id < segue_id_floor(to_timestamp(($2::float8 + 1) / 1000.0)) returning 1
			) select count(*)::int as n from gone`,
			[units, erasedAt],
		);
		return row?.n ?? 0;
	}

	async erasedAt(unit: string): Promise<number | null> {
		const [row] = await this.database.query<{ erased_at: Date }>(
			"select t.erased_at from tombstones t where t.unit_key = any ($1::bytea[])",
			[await this.#keysOf([unit])],
		);
		return row?.erased_at.getTime() ?? null;
	}

	/** What live windows hash units with, the same in all deciders: so that they know whom a tombstone means. */
	async liveKey(): Promise<SipKey> {
		const bytes = keyed(await this.#installationKey(), "live windows");
		return Int32Array.from({ length: 4 }, (_, i) => bytes.readInt32LE(4 * i));
	}

	async erasedSince(instant: number): Promise<ErasedSince> {
		const key = await this.#installationKey();
		const rows = await this.database.query<{
			unit_key: Buffer;
			live_key: Buffer | null;
			erased_at: Date;
		}>(
			"select t.unit_key, t.live_key, t.erased_at from tombstones t where t.erased_at > to_timestamp($1 / 1000.0)",
			[instant],
			"segue-erased-since",
		);
		const erased = new Map(
			rows.map((row) => [
				row.unit_key.toString("hex"),
				row.erased_at.getTime(),
			]),
		);
		return {
			latest: erased.size === 0 ? null : Math.max(...erased.values()),
			units: rows.flatMap(({ live_key, erased_at }) =>
				live_key === null
					? []
					: [
							{
								high: live_key.readUInt32BE(0),
								low: live_key.readUInt32BE(4),
								erasedAt: erased_at.getTime(),
							},
						],
			),
			mark: (unit) => keyed(key, unit).readUIntBE(0, MARK_BYTES),
			marks: new Set(rows.map((row) => row.unit_key.readUIntBE(0, MARK_BYTES))),
			erasedAt: (unit) => erased.get(keyed(key, unit).toString("hex")) ?? null,
		};
	}

	async #gated<T>(
		patienceMs: number,
		work: (client: pg.PoolClient) => Promise<T>,
		onTaken: (waitedMs: number) => void,
	): Promise<T> {
		try {
			return await underGate(this.database, patienceMs, work, {
				settings: byKeys,
				onTaken,
			});
		} catch (error) {
			if (error instanceof GateBusy)
				throw new ErasureBusy(error.message, { cause: error });
			throw error;
		}
	}

	/** Keyed hashes, as tombstones name units. */
	async #keysOf(units: readonly string[]): Promise<Buffer[]> {
		const key = await this.#installationKey();
		return units.map((unit) => keyed(key, unit));
	}

	async #liveKeysOf(units: readonly string[]): Promise<Buffer[]> {
		const key = await this.liveKey();
		return units.map((unit) => {
			const { high, low } = unitHash(key, unit);
			const bytes = Buffer.alloc(8);
			bytes.writeUInt32BE(high, 0);
			bytes.writeUInt32BE(low, 4);
			return bytes;
		});
	}

	async #installationKey(): Promise<Buffer> {
		if (this.#key === null) {
			const [row] = await this.database.query<{ erasure_key: Buffer }>(
				"select i.erasure_key from installation i",
			);
			if (!row)
				throw new Error(
					"The installation row is missing: the database was not migrated by Segue.",
				);
			this.#key = row.erasure_key;
		}
		return this.#key;
	}

	readonly #query = async (text: string, values: unknown[]) => ({
		rows: await this.database.query(text, values),
	});
}

const keyed = (key: Buffer, unit: string): Buffer =>
	createHmac("sha256", key).update(unit).digest();
