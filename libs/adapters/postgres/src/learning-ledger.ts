import type pg from "pg";
import type { Definition } from "#core/experiment";
import {
	type Admitted,
	admit,
	type Batch,
	type Committed,
	countBatch,
	type DeadLetter,
	type Effects,
	type LearningLedger,
	type LockedDecision,
	type LoggedDecision,
	type NamesInLetters,
	namesIn,
} from "#usecases/learning";
import { commitBatch } from "./batch-commit.js";
import {
	decisionOf,
	lockIds,
	mayHaveOutcomes,
	type States,
} from "./batch-ids.js";
import { insertDeadLetters } from "./batch-letters.js";
import { storeOutcomes } from "./batch-outcomes.js";
import { storeSignals } from "./batch-signals.js";
import type { DatabaseOptions } from "./database.js";
import { copyDecisions } from "./decision-copy.js";
import { KnownDefinitions } from "./known-definitions.js";
import { LearnerSession } from "./learner-session.js";
import {
	type OpenedBatch,
	openBatch,
	readStates,
	readTombstones,
	type StateUpdate,
	updateStates,
} from "./learning-sql.js";
import { ensurePartitions } from "./migrate.js";
import { forgetWindows, openWindows } from "./open-windows.js";
import { addToSums } from "./sums-sql.js";
import { readTouched } from "./touched-decisions.js";
import { isMissingPartition, isUselessConnection } from "./transient.js";

export interface LedgerOptions extends DatabaseOptions {
	/** Definition rows by id, whatever their experiment's state is now. */
	readonly definitions: (
		ids: readonly number[],
	) => Promise<readonly Definition[]>;
}

/**
 * The transaction of a batch, in the order that docs/invariants.md proves: gate, dead letters of what is refused at the door, then ids in
 * one sorted insert, then their locks, then decisions stored, all outcomes of the others read, new outcomes stored, dead letters of
 * conflicts, sums added, and last the revisions together with the commit.
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
		const opened = await openBatch(client);
		const batchId = opened.id;
		const admitted = await this.#admit(client, batch, opened);
		// Before the ids are locked: a letter of 1 MiB takes as long to store as a hundred decisions, and nobody need wait for it.
		const newAtDoor = await insertDeadLetters(client, admitted.deadLetters);
		const states = await lockIds(client, admitted, batch.closings ?? []);
		const experimentOf = (id: string) => states.get(id)?.experiment;

		const filled = [...admitted.decisions.values()].filter(
			({ row }) => experimentOf(row.id) === null,
		);
		await copyDecisions(client, batchId, filled);
		await openWindows(client, filled, this.#definitions);
		const outcomes = await storeOutcomes(client, batchId, {
			outcomes: admitted.outcomes,
			closings: (batch.closings ?? []).filter(
				(closing) => experimentOf(decisionOf(closing)) != null,
			),
			mayHave: mayHaveOutcomes(states, admitted, batch.closings ?? []),
		});
		if (batch.closings)
			await forgetWindows(client, batch.closings.map(decisionOf));
		const signals = await storeSignals(
			client,
			batchId,
			admitted.signals,
			(text) => this.#session.keyed(text),
		);
		const conflicts = [...outcomes.conflicts, ...signals.conflicts];
		const letters = [...admitted.deadLetters, ...conflicts];
		const newLetters = new Set([
			...newAtDoor,
			...(await insertDeadLetters(client, conflicts)),
		]);
		const experiments = await experimentsOf(client, states, filled, letters);

		const touched = await readTouched(
			client,
			{ states, filled, outcomes },
			this.#definitions,
		);
		const effects = fold(touched);
		const updates = stateUpdates(touched, effects, states);
		await updateStates(client, updates);
		const { shard } = this.#session;
		const alarms =
			effects.sums.length > 0
				? await addToSums(client, shard, batchId, effects.sums, this.#knownSums)
				: [];

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

	async #admit(
		client: pg.Client,
		batch: Batch,
		{ horizon, tombstones }: OpenedBatch,
	): Promise<Admitted> {
		const named = namesIn(tombstones ? batch.deadLetters : []);
		const erased = tombstones
			? await this.#erasedUnits(client, batch, named)
			: new Map<string, number>();
		return admit(batch, {
			horizon,
			erasedAt: (unit) => erased.get(unit),
			named,
			definition: (id) => this.#definitions.get(id),
		});
	}

	async #erasedUnits(
		client: pg.Client,
		batch: Batch,
		named: NamesInLetters,
	): Promise<Map<string, number>> {
		const units = new Set([
			...batch.decisions.map(({ row }) => row.unit),
			...batch.events.map(({ event }) => event.unit),
			...[...named.values()].flatMap((names) => names ?? []),
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

/** By decision, of all that the batch names; null where only a placeholder is there. */
async function experimentsOf(
	client: pg.ClientBase,
	states: States,
	filled: readonly LoggedDecision[],
	letters: readonly DeadLetter[],
): Promise<ReadonlyMap<string, string | null>> {
	const experiments = new Map(
		[...states.values()].map((state) => [state.id, state.experiment]),
	);
	const strangers = letters.flatMap(({ decisionId }) =>
		decisionId === undefined || experiments.has(decisionId) ? [] : [decisionId],
	);
	for (const { id, experiment } of await readStates(client, strangers.sort()))
		experiments.set(id, experiment);
	for (const { row } of filled) experiments.set(row.id, row.experiment);
	return experiments;
}

/** Where exposure or reward moved, and where a placeholder became a decision. */
function stateUpdates(
	touched: readonly LockedDecision[],
	effects: Effects,
	states: States,
): StateUpdate[] {
	const changes = new Map(effects.states.map((change) => [change.id, change]));
	const updates: StateUpdate[] = [];
	for (const { row, exposed, reward, fresh } of touched) {
		const change = changes.get(row.id);
		if (!change && (!fresh || states.get(row.id)?.own)) continue;
		updates.push({
			id: row.id,
			experiment: row.experiment,
			version: row.version,
			arm: row.arm,
			exposed: change?.exposed ?? exposed,
			reward: change?.reward ?? reward,
		});
	}
	return updates.sort((a, b) => (a.id < b.id ? -1 : 1));
}
