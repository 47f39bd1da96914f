import type pg from "pg";
import type { DecisionRow } from "#core/log";
import type { LearnableRow, StateChange } from "#usecases/learning";
import { GATE } from "./advisory-locks.js";
import {
	float8Array,
	int2Array,
	int4Array,
	textArray,
	uuidArray,
} from "./binary-array.js";
import { type DecisionRecord, fromGridBytesEach } from "./decision-record.js";

/** Of the names that dead letters hold there may be 50,000. */
const TOMBSTONES_AT_ONCE = 2_000;

/** The statements of a batch, one action a function; learning-ledger.ts gives their order. */

/** A locked id: a decision's state, or a placeholder without an experiment. */
export interface StateRecord {
	readonly id: string;
	readonly experiment: string | null;
	readonly exposed: 0 | 1;
	readonly reward: number;
	/** Inserted by this transaction, with all that its decision in the batch says. */
	readonly own?: true;
}

export interface OpenedBatch {
	readonly id: number;
	/** Horizon and tombstones stand still until the commit. */
	readonly horizon: string;
	readonly tombstones: boolean;
}

/** Begins the transaction and takes the gate, then reads what stands still under it: statements of their own, in one message. */
export async function openBatch(client: pg.ClientBase): Promise<OpenedBatch> {
	const results = (await client.query(
		`begin;
		select pg_advisory_xact_lock_shared(${GATE}, 1);
		select nextval('batch_ids') as id, i.horizon, exists (select 1 from tombstones) as tombstones from installation i`,
	)) as unknown as pg.QueryResult<OpenedBatch>[];
	const opened = results.at(-1)?.rows[0];
	if (!opened)
		throw new Error(
			"The installation row is missing: the database was not migrated by Segue.",
		);
	return opened;
}

export async function readTombstones(
	client: pg.ClientBase,
	unitKeys: readonly Buffer[],
): Promise<ReadonlyMap<string, number>> {
	const found = new Map<string, number>();
	for (let first = 0; first < unitKeys.length; first += TOMBSTONES_AT_ONCE) {
		const { rows } = await client.query<{ unit_key: Buffer; erased_at: Date }>(
			"select t.unit_key, t.erased_at from tombstones t where t.unit_key = any ($1::bytea[])",
			[unitKeys.slice(first, first + TOMBSTONES_AT_ONCE)],
		);
		for (const { unit_key, erased_at } of rows)
			found.set(unit_key.toString("hex"), erased_at.getTime());
	}
	return found;
}

/** What a decision's narrow row says of it before any outcome; a placeholder has but its id. */
export interface NewState {
	readonly id: string;
	readonly row: Pick<DecisionRow, "experiment" | "version" | "arm"> | null;
}

/** Decisions and placeholders together, in one sorted pass: two passes deadlock. Returns the ids that were not there before. */
export async function insertStates(
	client: pg.ClientBase,
	sorted: readonly NewState[],
): Promise<ReadonlySet<string>> {
	// As one text: a row for each id would cost more to read than the rest.
	const { rows } = await client.query<{ ids: string | null }>({
		name: "segue-insert-states",
		text: `with inserted as (
				insert into decision_states (id, experiment, version, arm)
				select r.id, r.experiment, r.version, r.arm
				from unnest($1::uuid[], $2::text[], $3::int[], $4::text[]) as r (id, experiment, version, arm)
				order by r.id
				on conflict do nothing
				returning id
			)
			select string_agg(i.id::text, ',') as ids from inserted i`,
		values: [
			uuidArray(sorted.map(({ id }) => id)),
			textArray(sorted.map(({ row }) => row?.experiment ?? null)),
			int4Array(sorted.map(({ row }) => row?.version ?? null)),
			textArray(sorted.map(({ row }) => row?.arm ?? null)),
		],
	});
	return new Set(rows[0]?.ids?.split(","));
}

export async function lockStates(
	client: pg.ClientBase,
	sortedIds: readonly string[],
): Promise<StateRecord[]> {
	if (sortedIds.length === 0) return [];
	const { rows } = await client.query<StateRecord>({
		name: "segue-lock-states",
		text: `select s.id, s.experiment, s.exposed, s.reward from decision_states s
			where s.id = any ($1::uuid[]) and s.id between $2 and $3 order by s.id for update`,
		values: withBounds(sortedIds),
	});
	return rows;
}

/** Ids and the range they lie in, by which partitions beyond it are passed over. */
export function withBounds(
	sortedIds: readonly string[],
): [Buffer, string, string] {
	return [
		uuidArray(sortedIds),
		sortedIds[0] as string,
		sortedIds.at(-1) as string,
	];
}

/** Of decisions that a refused event names: no locks, since nothing of them changes. */
export async function readStates(
	client: pg.ClientBase,
	sortedIds: readonly string[],
): Promise<Pick<StateRecord, "id" | "experiment">[]> {
	if (sortedIds.length === 0) return [];
	const { rows } = await client.query<Pick<StateRecord, "id" | "experiment">>({
		name: "segue-read-states",
		text: "select s.id, s.experiment from decision_states s where s.id = any ($1::uuid[]) and s.id between $2 and $3",
		values: withBounds(sortedIds),
	});
	return rows;
}

/** Of decisions stored before, what sums and verdicts are made of. */
export async function readDecisions(
	client: pg.ClientBase,
	sortedIds: readonly string[],
): Promise<LearnableRow[]> {
	if (sortedIds.length === 0) return [];
	const { rows } = await client.query<LearnableRecord>({
		name: "segue-read-decisions",
		text: `select d.id, d.experiment, d.version, d.definition_id, d.unit, d.assigned_group, d.arm, d.x,
				date_part('epoch', d.decided_at) as decided_at
			from decisions d where d.id = any ($1::uuid[]) and d.id between $2 and $3`,
		values: withBounds(sortedIds),
	});
	const xs = fromGridBytesEach(rows.map(({ x }) => x));
	return rows.map((record, i) => ({
		id: record.id,
		experiment: record.experiment,
		version: record.version,
		definitionId: record.definition_id,
		unit: record.unit,
		group: record.assigned_group,
		arm: record.arm,
		x: xs[i] as Float64Array,
		decidedAt: Math.round(1_000 * record.decided_at),
	}));
}

type LearnableRecord = Pick<
	DecisionRecord,
	| "id"
	| "experiment"
	| "version"
	| "definition_id"
	| "unit"
	| "assigned_group"
	| "arm"
	| "x"
> & {
	/** Seconds since the epoch: microseconds, like all times of the log, are exact in it. */
	decided_at: number;
};

export interface StateUpdate extends StateChange {
	readonly experiment: string;
	readonly version: number;
	readonly arm: string;
}

export async function updateStates(
	client: pg.ClientBase,
	sorted: readonly StateUpdate[],
): Promise<void> {
	if (sorted.length === 0) return;
	await client.query({
		name: "segue-update-states",
		text: "select segue_update_states($1, $2, $3, $4, $5, $6)",
		values: [
			uuidArray(sorted.map((state) => state.id)),
			textArray(sorted.map((state) => state.experiment)),
			int4Array(sorted.map((state) => state.version)),
			textArray(sorted.map((state) => state.arm)),
			int2Array(sorted.map((state) => state.exposed)),
			float8Array(sorted.map((state) => state.reward)),
		],
	});
}
