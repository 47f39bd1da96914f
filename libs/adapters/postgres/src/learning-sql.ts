import type pg from "pg";
import type {
	DeadLetter,
	LoggedDecision,
	StateChange,
} from "#usecases/learning";
import {
	type DecisionRecord,
	decisionColumns,
	doubleBytes,
	gridBytes,
	indexBytes,
	toDecisionRow,
} from "./decision-record.js";

const MOST_REASON = 2_000;

/** The statements of a batch, one action a function; learning-ledger.ts gives their order. */

export interface StateRecord {
	id: string;
	experiment: string | null;
	exposed: 0 | 1;
	reward: number;
}

export async function readHorizon(
	client: pg.ClientBase,
): Promise<{ horizon: string; tombstones: boolean }> {
	const { rows } = await client.query<{ horizon: string; tombstones: boolean }>(
		"select i.horizon, exists (select 1 from tombstones) as tombstones from installation i",
	);
	const row = rows[0];
	if (!row)
		throw new Error(
			"The installation row is missing: the database was not migrated by Segue.",
		);
	return row;
}

export async function readTombstones(
	client: pg.ClientBase,
	unitKeys: readonly Buffer[],
): Promise<ReadonlyMap<string, number>> {
	const { rows } = await client.query<{ unit_key: Buffer; erased_at: Date }>(
		"select t.unit_key, t.erased_at from tombstones t where t.unit_key = any ($1::bytea[])",
		[unitKeys],
	);
	return new Map(
		rows.map((row) => [row.unit_key.toString("hex"), row.erased_at.getTime()]),
	);
}

/** Decisions and placeholders together, in one sorted pass: two passes deadlock. */
export async function insertIds(
	client: pg.ClientBase,
	sortedIds: readonly string[],
): Promise<void> {
	await client.query({
		name: "segue-insert-ids",
		text: "insert into decision_states (id) select i.id from unnest($1::uuid[]) as i (id) order by i.id on conflict do nothing",
		values: [sortedIds],
	});
}

export async function lockStates(
	client: pg.ClientBase,
	sortedIds: readonly string[],
): Promise<StateRecord[]> {
	const { rows } = await client.query<StateRecord>({
		name: "segue-lock-states",
		text: `select s.id, s.experiment, s.exposed, s.reward from decision_states s
			where s.id = any ($1::uuid[]) order by s.id for update`,
		values: [sortedIds],
	});
	return rows;
}

/** Of decisions that a refused event names: no locks, since nothing of them changes. */
export async function readStates(
	client: pg.ClientBase,
	ids: readonly string[],
): Promise<Pick<StateRecord, "id" | "experiment">[]> {
	const { rows } = await client.query<Pick<StateRecord, "id" | "experiment">>({
		name: "segue-read-states",
		text: "select s.id, s.experiment from decision_states s where s.id = any ($1::uuid[])",
		values: [ids],
	});
	return rows;
}

const decisionInsert = `insert into decisions (${decisionColumns.join(", ")}, batch, boot, sequence, stored_at)
	select r.id, r.experiment, r.version, r.definition_id, r.unit, r.session, r.assigned_group, r.arm, r.propensity, r.distribution,
		r.context, r.x, r.eligible, r.excluded, r.means, r.propensities, r.policy_propensities, r.missing, r.degraded,
		to_timestamp(r.decided_at / 1000.0), r.origin, r.parent, r.trace_id, r.request_id, r.consent, r.privacy_version, r.extra,
		r.revision, r.reference_bucket, r.core_version, $1, r.boot, r.sequence, to_timestamp(r.stored_at / 1000.0)
	from unnest(
		$2::uuid[], $3::text[], $4::int[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::float8[], $11::text[],
		$12::jsonb[], $13::bytea[], $14::bytea[], $15::jsonb[], $16::bytea[], $17::bytea[], $18::bytea[], $19::jsonb[], $20::jsonb[],
		$21::float8[], $22::text[], $23::uuid[], $24::text[], $25::text[], $26::jsonb[], $27::text[], $28::jsonb[],
		$29::bigint[], $30::bigint[], $31::text[], $32::uuid[], $33::bigint[], $34::float8[]
	) as r (
		id, experiment, version, definition_id, unit, session, assigned_group, arm, propensity, distribution,
		context, x, eligible, excluded, means, propensities, policy_propensities, missing, degraded,
		decided_at, origin, parent, trace_id, request_id, consent, privacy_version, extra,
		revision, reference_bucket, core_version, boot, sequence, stored_at
	)`;

export async function insertDecisions(
	client: pg.ClientBase,
	batch: number,
	decisions: readonly LoggedDecision[],
): Promise<void> {
	const rows = decisions.map((decision) => decision.row);
	const json = (value: unknown) =>
		value === null ? null : JSON.stringify(value);
	await client.query({
		name: "segue-insert-decisions",
		text: decisionInsert,
		values: [
			batch,
			rows.map((row) => row.id),
			rows.map((row) => row.experiment),
			rows.map((row) => row.version),
			rows.map((row) => row.definitionId),
			rows.map((row) => row.unit),
			rows.map((row) => row.session),
			rows.map((row) => row.group),
			rows.map((row) => row.arm),
			rows.map((row) => row.propensity),
			rows.map((row) => row.distribution),
			rows.map((row) => json(row.context)),
			rows.map((row) => gridBytes(row.x)),
			rows.map((row) => indexBytes(row.eligible)),
			rows.map((row) => json(row.excluded)),
			rows.map((row) => gridBytes(row.means)),
			rows.map((row) => doubleBytes(row.propensities)),
			rows.map((row) =>
				row.policyPropensities === null
					? null
					: doubleBytes(row.policyPropensities),
			),
			rows.map((row) => json(row.missing)),
			rows.map((row) => json(row.degraded)),
			rows.map((row) => row.decidedAt),
			rows.map((row) => row.origin),
			rows.map((row) => row.parent),
			rows.map((row) => row.traceId),
			rows.map((row) => row.requestId),
			rows.map((row) => json(row.consent)),
			rows.map((row) => row.privacyVersion),
			rows.map((row) => json(row.extra)),
			rows.map((row) => row.revision),
			rows.map((row) => row.referenceBucket),
			rows.map((row) => row.coreVersion),
			decisions.map((decision) => decision.publisher.boot),
			decisions.map((decision) => decision.publisher.sequence),
			decisions.map((decision) => decision.source.storedAt),
		],
	});
}

export async function readDecisions(
	client: pg.ClientBase,
	ids: readonly string[],
) {
	const { rows } = await client.query<DecisionRecord>({
		name: "segue-read-decisions",
		text: `select ${decisionColumns.map((column) => `d.${column}`).join(", ")} from decisions d where d.id = any ($1::uuid[])`,
		values: [ids],
	});
	return rows.map(toDecisionRow);
}

export interface StateUpdate extends StateChange {
	readonly experiment: string;
	readonly version: number;
	readonly arm: string;
}

export async function updateStates(
	client: pg.ClientBase,
	states: readonly StateUpdate[],
): Promise<void> {
	await client.query({
		name: "segue-update-states",
		text: `update decision_states s set experiment = r.experiment, version = r.version, arm = r.arm, exposed = r.exposed, reward = r.reward
			from unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::smallint[], $6::float8[])
				as r (id, experiment, version, arm, exposed, reward)
			where s.id = r.id`,
		values: [
			states.map((state) => state.id),
			states.map((state) => state.experiment),
			states.map((state) => state.version),
			states.map((state) => state.arm),
			states.map((state) => state.exposed),
			states.map((state) => state.reward),
		],
	});
}

/** Text as PostgreSQL takes it: without NUL and half surrogate pairs, and bounded. */
function storable(text: string): string {
	return text
		.slice(0, MOST_REASON)
		.replaceAll("\u0000", "\\0")
		.replace(/\p{Surrogate}/gu, "\ufffd");
}

/** Returns those that were new: a redelivered one is known by its place in the stream. */
export async function insertDeadLetters(
	client: pg.ClientBase,
	letters: readonly DeadLetter[],
): Promise<ReadonlySet<DeadLetter>> {
	if (letters.length === 0) return new Set();
	const places = new Map(letters.map((letter) => [placeOf(letter), letter]));
	const { rows } = await client.query<{ place: string }>({
		name: "segue-insert-dead-letters",
		text: `insert into dead_letters (position, item, stored_at, subject, reason, payload, decision_id)
			select r.position, r.item, to_timestamp(r.stored_at / 1000.0), r.subject, r.reason, r.payload, r.decision_id
			from unnest($1::bigint[], $2::int[], $3::float8[], $4::text[], $5::text[], $6::bytea[], $7::uuid[])
				as r (position, item, stored_at, subject, reason, payload, decision_id)
			order by r.position, r.item
			on conflict do nothing
			returning position || ' ' || item as place`,
		values: [
			letters.map((letter) => letter.source.position),
			letters.map((letter) => letter.source.index),
			letters.map((letter) => letter.source.storedAt),
			letters.map((letter) => storable(letter.source.subject)),
			letters.map((letter) => storable(letter.reason)),
			letters.map((letter) => Buffer.from(letter.payload)),
			letters.map((letter) => letter.decisionId ?? null),
		],
	});
	return new Set(rows.map(({ place }) => places.get(place) as DeadLetter));
}

const placeOf = ({ source }: DeadLetter): string =>
	`${source.position} ${source.index}`;
