import { createHmac } from "node:crypto";
import type pg from "pg";
import { addObservation, emptySums } from "#core/policy";
import {
	type ErasedFromDatabase,
	type Erasure,
	ErasureBusy,
	type RemovedRows,
	type Tombstones,
} from "#usecases/erasing";
import { bucketOf, type SumsDelta } from "#usecases/learning";
import type { Database } from "./database.js";
import {
	changeLetters,
	findLetters,
	type LetterChanges,
	noLetters,
} from "./erasure-dead-letters.js";
import {
	type DeletedState,
	deleteDecisions,
	deleteEmptyPlaceholders,
	deleteOutcomesOf,
	deleteRequests,
	deleteSignals,
	deleteStates,
	deleteStrayOutcomes,
	experimentsOf,
	readBucketWidths,
	readFoldedBefore,
	readShares,
	type Share,
	writeTombstones,
} from "./erasure-sql.js";
import { addAlone } from "./erasure-sums.js";
import { countErased } from "./erasure-verdicts.js";
import { GateBusy, nextBatch, takeFloors, underGate } from "./gate.js";
import { forgetWindows } from "./open-windows.js";

/** The eraser's own shard: its rows may be negative, being what was added elsewhere. Learners have 0 to 15. */
export const ERASER_SHARD = 16;

/** Decisions taken out in one transaction: bounds how long learners wait before the gate. */
const MOST_AT_ONCE = 2_000;

type Counts = { -readonly [name in keyof RemovedRows]: RemovedRows[name] };

/**
 * Takes units out of the log and the sums: tombstone first, then their rows, a bounded number in each transaction. Every transaction
 * leaves sums that equal the fold of the log, so one that stops half-way is completed by doing it again.
 */
export class PostgresErasure implements Erasure, Tombstones {
	#key: Buffer | null = null;

	constructor(
		private readonly database: Database,
		private readonly mostAtOnce = MOST_AT_ONCE,
	) {}

	async erase(
		units: readonly string[],
		patienceMs: number,
	): Promise<ErasedFromDatabase> {
		const keys = await this.#keysOf(units);
		const removed: Counts = {
			decisions: 0,
			learned: 0,
			waiting: 0,
			outcomes: 0,
			signals: 0,
			requests: 0,
			deadLetters: 0,
		};
		const revisions = new Map<string, number>();
		// All letters but the newest are looked through before the gate is taken.
		const known = await findLetters(
			{ query: this.#query } as Pick<pg.ClientBase, "query">,
			units,
			noLetters,
		);
		let erasedAt = 0;
		for (let first = true, more = true; more; first = false) {
			const done = await this.#gated(patienceMs, (client) =>
				this.#eraseSome(client, units, first ? { keys, known } : null),
			);
			for (const name of Object.keys(removed) as (keyof Counts)[])
				removed[name] += done.removed[name];
			for (const [experiment, revision] of done.revisions)
				revisions.set(experiment, revision);
			erasedAt = done.erasedAt ?? erasedAt;
			more = done.more;
		}
		return {
			erasedAt,
			removed,
			revisions,
			foldedBefore: await this.#foldedBefore(),
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

	async #eraseSome(
		client: pg.PoolClient,
		units: readonly string[],
		beginning: {
			readonly keys: readonly Buffer[];
			readonly known: LetterChanges;
		} | null,
	) {
		const erasedAt =
			beginning === null ? null : await writeTombstones(client, beginning.keys);
		const shares = await readShares(client, units, this.mostAtOnce);
		const ids = shares.map(({ id }) => id);
		const states = ids.length > 0 ? await deleteStates(client, ids) : [];
		const outcomes = ids.length > 0 ? await deleteOutcomesOf(client, ids) : [];
		const removed: Counts = {
			decisions: ids.length > 0 ? await deleteDecisions(client, ids) : 0,
			learned: states.filter(({ exposed }) => exposed === 1).length,
			outcomes: outcomes.length,
			waiting: 0,
			signals: 0,
			requests: 0,
			deadLetters: 0,
		};
		if (ids.length > 0) await forgetWindows(client, ids);
		const experiments = new Set(shares.map(({ experiment }) => experiment));
		const strays: (string | null)[] = [];
		const more = shares.length === this.mostAtOnce;
		// What is not found by its decision goes last, when no event is left that a decision still to come out would take along.
		if (!more) {
			const named = await deleteStrayOutcomes(client, units);
			removed.outcomes += named.length;
			const experimentOf =
				named.length > 0 ? await experimentsOf(client, named) : new Map();
			for (const id of named) {
				const experiment = experimentOf.get(id) ?? null;
				strays.push(experiment);
				if (experiment !== null) experiments.add(experiment);
			}
			if (named.length > 0)
				removed.waiting = await deleteEmptyPlaceholders(client, named);
			removed.signals = await deleteSignals(client, units);
			removed.requests = await deleteRequests(client, units);
		}
		if (beginning !== null)
			removed.deadLetters = await changeLetters(
				client,
				await findLetters(client, units, beginning.known),
			);

		const batch = await nextBatch(client);
		const deltas = await shareOfSums(client, shares, states);
		if (deltas.length > 0) await addAlone(client, ERASER_SHARD, batch, deltas);
		await countErased(client, ERASER_SHARD, {
			shares,
			outcomes,
			strays,
			signals: removed.signals,
		});
		const revisions = await takeFloors(client, batch, [...experiments]);
		return { erasedAt, removed, revisions, more };
	}

	async #gated<T>(
		patienceMs: number,
		work: (client: pg.PoolClient) => Promise<T>,
	): Promise<T> {
		try {
			return await underGate(this.database, patienceMs, work);
		} catch (error) {
			if (error instanceof GateBusy)
				throw new ErasureBusy(error.message, { cause: error });
			throw error;
		}
	}

	async #foldedBefore(): Promise<number | null> {
		return readFoldedBefore(this.database);
	}

	/** Keyed hashes, as tombstones name units. */
	async #keysOf(units: readonly string[]): Promise<Buffer[]> {
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
		const key = this.#key;
		return units.map((unit) => createHmac("sha256", key).update(unit).digest());
	}

	readonly #query = async (text: string, values: unknown[]) => ({
		rows: await this.database.query(text, values),
	});
}

/** What the decisions had given to the sums, negated: E and R as they stood, which is what was added. */
async function shareOfSums(
	client: pg.ClientBase,
	shares: readonly Share[],
	states: readonly DeletedState[],
): Promise<readonly SumsDelta[]> {
	const stateOf = new Map(states.map((state) => [state.id, state]));
	const learned = shares.filter(({ id }) => stateOf.get(id)?.exposed === 1);
	if (learned.length === 0) return [];
	const widths = await readBucketWidths(client, [
		...new Set(learned.map(({ experiment }) => experiment)),
	]);
	const deltas = new Map<string, SumsDelta>();
	for (const { id, experiment, version, arm, x } of learned) {
		const width = widths.get(`${experiment} ${version}`);
		if (width === undefined)
			throw new Error(
				`No definition row says how wide the time buckets of ${experiment} version ${version} are.`,
			);
		const bucket = bucketOf(id, width);
		const key = `${experiment} ${version} ${arm} ${bucket}`;
		let entry = deltas.get(key);
		if (entry === undefined) {
			entry = { experiment, version, arm, bucket, delta: emptySums(x.length) };
			deltas.set(key, entry);
		}
		const reward = stateOf.get(id)?.reward ?? 0;
		addObservation(entry.delta, x.length, x, -1, -reward);
	}
	return [...deltas.values()];
}
