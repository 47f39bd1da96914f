import type pg from "pg";
import type { Definition } from "#core/experiment";
import {
	type Admitted,
	admit,
	type Batch,
	type Committed,
	type Effects,
	type LearningLedger,
	type LockedDecision,
	type LoggedDecision,
	type LoggedEvent,
} from "#usecases/learning";
import type { DatabaseOptions } from "./database.js";
import { KnownDefinitions } from "./known-definitions.js";
import { LearnerSession } from "./learner-session.js";
import {
	insertDeadLetters,
	insertDecisions,
	insertIds,
	lockStates,
	readHorizon,
	readTombstones,
	type StateUpdate,
	updateStates,
} from "./learning-sql.js";
import { ensurePartitions } from "./migrate.js";
import { findConflicts, firstBodies } from "./outcome-conflicts.js";
import { insertOutcomes, insertSignals, outcomeKey } from "./outcomes-sql.js";
import { addToSums } from "./sums-sql.js";
import { readTouched } from "./touched-decisions.js";
import { isMissingPartition } from "./transient.js";

/** Advisory lock class of the gate, which batches share and erasure and retention take exclusively. */
const GATE = 7_301;

export interface LedgerOptions extends DatabaseOptions {
	/** Definition rows by id, whatever their experiment's state is now. */
	readonly definitions: (
		ids: readonly number[],
	) => Promise<readonly Definition[]>;
}

/**
 * The transaction of a batch, in the order that docs/invariants.md proves: gate, then ids in one sorted insert, then their locks,
 * then placeholders filled, outcomes inserted, all outcomes read, sums added, and last the revisions together with the commit.
 * Works on one connection of its own, which holds its shard's slot; both are taken again after a loss.
 */
export class PostgresLearningLedger implements LearningLedger {
	readonly #session: LearnerSession;
	readonly #definitions: KnownDefinitions;
	readonly #knownSums = new Set<string>();

	constructor(options: LedgerOptions) {
		this.#session = new LearnerSession(options);
		this.#definitions = new KnownDefinitions(options.definitions);
	}

	async commit(
		batch: Batch,
		fold: (locked: readonly LockedDecision[]) => Effects,
	): Promise<Committed> {
		await this.#definitions.learn(
			batch.decisions.map(({ row }) => row.definitionId),
		);
		const client = await this.#session.client();
		try {
			return await this.#transact(client, batch, fold);
		} catch (error) {
			this.#knownSums.clear();
			await client.query("rollback").catch(() => this.#session.drop(client));
			// After days of standing still the partitions made ahead have run out: made here, found by the next try.
			if (isMissingPartition(error))
				await ensurePartitions(
					(text, values) => client.query(text, [...values]),
					Date.now(),
				);
			throw error;
		}
	}

	async close(): Promise<void> {
		await this.#session.close();
	}

	async #transact(
		client: pg.Client,
		batch: Batch,
		fold: (locked: readonly LockedDecision[]) => Effects,
	): Promise<Committed> {
		await client.query(
			`begin; select pg_advisory_xact_lock_shared(${GATE}, 1)`,
		);
		const admitted = await this.#admit(client, batch);
		const ids = sortedIds(admitted);
		if (ids.length > 0) await insertIds(client, ids);
		const states = ids.length > 0 ? await lockStates(client, ids) : [];
		const batchId = await nextBatch(client);

		const fresh = states.filter(
			(state) => state.experiment === null && admitted.decisions.has(state.id),
		);
		const filled = fresh.map(
			(state) => admitted.decisions.get(state.id) as LoggedDecision,
		);
		if (filled.length > 0) await insertDecisions(client, batchId, filled);
		const bodies = firstBodies(admitted.outcomes);
		const isNew =
			bodies.first.length > 0
				? await insertOutcomes(client, batchId, bodies.first)
				: new Set<string>();
		const conflicts = await findConflicts(client, [
			...bodies.others,
			...bodies.first.filter(
				({ event }) =>
					!isNew.has(outcomeKey(event.decisionId as string, event.id)),
			),
		]);
		const newSignals =
			admitted.signals.length > 0
				? await this.#insertSignals(client, batchId, admitted.signals)
				: 0;
		const deadLetters = [...admitted.deadLetters, ...conflicts];
		const refused =
			deadLetters.length > 0 ? await insertDeadLetters(client, deadLetters) : 0;

		const touched = await readTouched(
			client,
			{ states, filled, outcomes: admitted.outcomes, isNew },
			this.#definitions,
		);
		const effects = fold(touched);
		const updates = stateUpdates(
			touched,
			effects,
			new Set(fresh.map((state) => state.id)),
		);
		if (updates.length > 0) await updateStates(client, updates);
		const alarms =
			effects.sums.length > 0
				? await addToSums(
						client,
						this.#session.shard,
						batchId,
						effects.sums,
						this.#knownSums,
					)
				: [];

		const revisions = await commitWithRevisions(client, batchId, touched);
		const stored = {
			decisions: filled.length,
			events: isNew.size + newSignals,
		};
		return {
			...stored,
			revisions,
			refused,
			duplicates:
				itemsOf(batch) -
				admitted.erased -
				(deadLetters.length - batch.deadLetters.length) -
				stored.decisions -
				stored.events,
			reasons: deadLetters.map(
				({ reason }) => reason.split(":", 1)[0] as string,
			),
			moved: effects.moved,
			alarms,
		};
	}

	/** Under the gate, where horizon and tombstones stand still until the commit. */
	async #admit(client: pg.Client, batch: Batch): Promise<Admitted> {
		const { horizon, tombstones } = await readHorizon(client);
		const erased = tombstones
			? await this.#erasedUnits(client, batch)
			: new Map<string, number>();
		return admit(batch, {
			horizon,
			erasedAt: (unit) => erased.get(unit),
			definition: (id) => this.#definitions.get(id),
		});
	}

	async #erasedUnits(
		client: pg.Client,
		batch: Batch,
	): Promise<Map<string, number>> {
		const units = new Set([
			...batch.decisions.map(({ row }) => row.unit),
			...batch.events.map(({ event }) => event.unit),
		]);
		const keys = new Map(
			[...units].map((unit) => [
				this.#session.keyed(unit).toString("hex"),
				unit,
			]),
		);
		const found = await readTombstones(
			client,
			[...keys.keys()].map((key) => Buffer.from(key, "hex")),
		);
		return new Map(
			[...found].map(([key, erasedAt]) => [keys.get(key) as string, erasedAt]),
		);
	}

	async #insertSignals(
		client: pg.Client,
		batchId: number,
		signals: readonly LoggedEvent[],
	): Promise<number> {
		const keys = signals.map(({ event }) =>
			this.#session.keyed(`${event.unit}\n${event.id}`),
		);
		return insertSignals(client, batchId, signals, keys);
	}
}

const itemsOf = ({ decisions, events }: Batch): number =>
	decisions.length + events.length;

function sortedIds({ decisions, outcomes }: Admitted): string[] {
	return [
		...new Set([
			...decisions.keys(),
			...outcomes.map(({ event }) => event.decisionId as string),
		]),
	].sort();
}

/** Fresh rows need their experiment, version and arm; others are written only where exposure or reward moved. */
function stateUpdates(
	touched: readonly LockedDecision[],
	effects: Effects,
	fresh: ReadonlySet<string>,
): StateUpdate[] {
	const changes = new Map(effects.states.map((change) => [change.id, change]));
	const updates: StateUpdate[] = [];
	for (const { row, exposed, reward } of touched) {
		const change = changes.get(row.id);
		if (!change && !fresh.has(row.id)) continue;
		updates.push({
			id: row.id,
			experiment: row.experiment,
			version: row.version,
			arm: row.arm,
			exposed: change?.exposed ?? exposed,
			reward: change?.reward ?? reward,
		});
	}
	return updates;
}

async function nextBatch(client: pg.Client): Promise<number> {
	const { rows } = await client.query<{ batch: number }>(
		"select nextval('batch_ids') as batch",
	);
	return (rows[0] as { batch: number }).batch;
}

/** Revisions and commit travel in one message, so the revision rows are locked for no round trip. */
async function commitWithRevisions(
	client: pg.Client,
	batchId: number,
	touched: readonly LockedDecision[],
): Promise<ReadonlyMap<string, number>> {
	const experiments = [
		...new Set(touched.map(({ row }) => row.experiment)),
	].sort();
	if (experiments.length === 0) {
		await client.query("commit");
		return new Map();
	}
	await client.query(
		"select set_config('segue.experiments', $1, true), set_config('segue.batch', $2, true)",
		[experiments.join(","), String(batchId)],
	);
	const results = (await client.query(
		"select t.experiment, t.revision from segue_take_revisions() t; commit",
	)) as unknown as pg.QueryResult<{ experiment: string; revision: number }>[];
	return new Map(
		(results[0]?.rows ?? []).map((row) => [row.experiment, row.revision]),
	);
}
