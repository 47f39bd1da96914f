import type pg from "pg";
import type { Definition } from "#core/experiment";
import { namedUnits } from "#usecases/erasing";
import {
	type Admitted,
	admit,
	type Batch,
	type Committed,
	countBatch,
	type Effects,
	type LearningLedger,
	type LockedDecision,
	type LoggedEvent,
} from "#usecases/learning";
import { commitBatch, nextBatch } from "./batch-commit.js";
import { storeOutcomes } from "./batch-outcomes.js";
import { storeSignals } from "./batch-signals.js";
import type { DatabaseOptions } from "./database.js";
import { KnownDefinitions } from "./known-definitions.js";
import { LearnerSession } from "./learner-session.js";
import {
	insertDeadLetters,
	insertDecisions,
	insertIds,
	lockStates,
	readHorizon,
	readStates,
	readTombstones,
	type StateRecord,
	type StateUpdate,
	updateStates,
} from "./learning-sql.js";
import { ensurePartitions } from "./migrate.js";
import { forgetWindows, openWindows } from "./open-windows.js";
import { addToSums } from "./sums-sql.js";
import { readTouched } from "./touched-decisions.js";
import { isMissingPartition, isUselessConnection } from "./transient.js";

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
	#turn: Promise<unknown> = Promise.resolve();

	constructor(options: LedgerOptions) {
		this.#session = new LearnerSession(options);
		this.#definitions = new KnownDefinitions(options.definitions);
	}

	/** Batches of one ledger wait for each other: they share its connection. */
	commit(
		batch: Batch,
		fold: (locked: readonly LockedDecision[]) => Effects,
	): Promise<Committed> {
		const turn = this.#turn.then(() => this.#commit(batch, fold));
		this.#turn = turn.catch(() => {});
		return turn;
	}

	async #commit(
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
			if (isUselessConnection(error)) this.#session.drop(client);
			else
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
		const states = await lockIds(client, admitted, batch.closings ?? []);
		const batchId = await nextBatch(client);

		const experiments = new Map(
			states.map((state) => [state.id, state.experiment]),
		);
		const filled = [...admitted.decisions.values()].filter(
			({ row }) => experiments.get(row.id) === null,
		);
		if (filled.length > 0) await insertDecisions(client, batchId, filled);
		await openWindows(client, filled, this.#definitions);
		const closings = (batch.closings ?? []).filter(
			({ event }) => experiments.get(event.decisionId as string) != null,
		);
		const outcomes = await storeOutcomes(
			client,
			batchId,
			admitted.outcomes,
			closings,
		);
		if (batch.closings)
			await forgetWindows(client, batch.closings.map(decisionOf));
		const signals = await storeSignals(
			client,
			batchId,
			admitted.signals,
			(text) => this.#session.keyed(text),
		);
		const letters = [
			...admitted.deadLetters,
			...outcomes.conflicts,
			...signals.conflicts,
		];
		const newLetters = await insertDeadLetters(client, letters);
		const strangers = letters.flatMap(({ decisionId }) =>
			decisionId === undefined || experiments.has(decisionId)
				? []
				: [decisionId],
		);
		if (strangers.length > 0)
			for (const { id, experiment } of await readStates(client, strangers))
				experiments.set(id, experiment);

		const touched = await readTouched(
			client,
			{
				states,
				filled,
				outcomes: [...admitted.outcomes, ...closings],
				isNew: outcomes.isNew,
			},
			this.#definitions,
		);
		const effects = fold(touched);
		const updates = stateUpdates(touched, effects);
		if (updates.length > 0) await updateStates(client, updates);
		const { shard } = this.#session;
		const alarms =
			effects.sums.length > 0
				? await addToSums(client, shard, batchId, effects.sums, this.#knownSums)
				: [];

		for (const { row } of filled) experiments.set(row.id, row.experiment);
		const verdicts = countBatch({
			...outcomes,
			admitted,
			logged: filled,
			signals,
			letters,
			newLetters,
			experimentOf: (id) => experiments.get(id) ?? undefined,
			effects,
		});
		return {
			revisions: await commitBatch(client, shard, batchId, touched, verdicts),
			decisions: filled.length,
			events: outcomes.fresh.length + signals.fresh,
			duplicates:
				admitted.decisions.size +
				admitted.repeated.length -
				filled.length +
				outcomes.known.length +
				signals.known,
			refused: newLetters.size,
			reasons: letters.map(({ reason }) => reason.split(":", 1)[0] as string),
			moved: effects.moved,
			verdicts,
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
			...batch.deadLetters.flatMap(({ payload }) => namedUnits(payload)),
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
}

const decisionOf = ({ event }: LoggedEvent): string =>
	event.decisionId as string;

/** A closing never makes a placeholder: its decision is there, or is gone for good. */
async function lockIds(
	client: pg.ClientBase,
	{ decisions, outcomes }: Admitted,
	closings: readonly LoggedEvent[],
): Promise<StateRecord[]> {
	const ids = new Set([...decisions.keys(), ...outcomes.map(decisionOf)]);
	if (ids.size > 0) await insertIds(client, [...ids].sort());
	for (const closing of closings) ids.add(decisionOf(closing));
	return ids.size > 0 ? lockStates(client, [...ids].sort()) : [];
}

/** Fresh rows need their experiment, version and arm; others are written only where exposure or reward moved. */
function stateUpdates(
	touched: readonly LockedDecision[],
	effects: Effects,
): StateUpdate[] {
	const changes = new Map(effects.states.map((change) => [change.id, change]));
	const updates: StateUpdate[] = [];
	for (const { row, exposed, reward, fresh } of touched) {
		const change = changes.get(row.id);
		if (!change && !fresh) continue;
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
