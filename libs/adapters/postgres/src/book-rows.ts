import type pg from "pg";
import type { Bookable, ScoreBlock, Side } from "#core/booking";
import type { Definition } from "#core/experiment";
import type { Event } from "#core/log";
import { uuidArray } from "./binary-array.js";
import { type BlockRecord, toBlock } from "./book-records.js";
import type { BookedDefinitions } from "./booked-definitions.js";
import {
	type DecisionRecord,
	fromGridBytesEach,
	fromIndexBytes,
} from "./decision-record.js";
import type { OutcomeRecord } from "./outcome-record.js";

/** The log as booking reads it: rows of an experiment as they stood at a revision, and no more of them than it needs. */

/** A quarter of what a date costs to read; the log's times are whole milliseconds. */
const milliseconds = (column: string): string =>
	`date_part('epoch', ${column}) * 1000`;

/** @param names parameter: what is read of contexts */
export const bookedColumns = (names: string): string =>
	`d.id, d.definition_id, d.unit, d.session, d.assigned_group, d.arm, d.eligible, d.means, d.propensities, d.degraded, d.origin,
	${milliseconds("d.decided_at")} as decided_at, case when cardinality(${names}::text[]) > 0 then (
		select jsonb_object_agg(n.name, d.context -> n.name) from unnest(${names}::text[]) as n (name) where d.context ? n.name
	) end as context`;

export interface BookedRecord
	extends Pick<
		DecisionRecord,
		| "id"
		| "definition_id"
		| "unit"
		| "session"
		| "assigned_group"
		| "arm"
		| "eligible"
		| "means"
		| "propensities"
		| "degraded"
		| "origin"
	> {
	readonly decided_at: number;
	readonly context: DecisionRecord["context"] | null;
}

/**
 * Batches of which the rows are newer than a revision. All others count: a row is never without a batch, and a batch that took no revision
 * stored events that came before their decision, which count with it. They are few where the log is read near its end.
 */
export const newerBatches = (experiment: string, revision: string): string =>
	`array(select l.batch from revision_log l where l.experiment = ${experiment} and l.revision > ${revision})`;

interface BookedOutcome
	extends Pick<
		OutcomeRecord,
		"decision_id" | "event_id" | "unit" | "type" | "value" | "retracts"
	> {
	readonly at: number;
	readonly newer: boolean;
}

/** An outcome, and whether it is newer than the revision that rollups stand at. */
export interface ReadOutcome {
	readonly event: Event;
	readonly isNewer: boolean;
}

const toBookedEvent = (record: BookedOutcome): Event => ({
	id: record.event_id,
	type: record.type,
	at: Math.round(record.at),
	unit: record.unit,
	decisionId: record.decision_id,
	...(record.value !== null && { value: record.value }),
	...(record.retracts !== null && { retracts: record.retracts }),
});

/**
 * Outcomes of decisions as they stand at revision `to`, by decision: what they are counted by, and nothing else of them.
 * @param ids ascending
 */
export async function readOutcomesAt(
	read: Read,
	experiment: string,
	ids: readonly string[],
	{ revision, to }: { readonly revision: number; readonly to: number },
): Promise<ReadonlyMap<string, readonly ReadOutcome[]>> {
	if (ids.length === 0) return new Map();
	// Bounds let the executor pass over the partitions outside.
	const rows = await read<BookedOutcome>(
		`select o.decision_id, o.event_id, o.unit, o.type, ${milliseconds("o.at")} as at, o.value, o.retracts,
			o.batch = any (${newerBatches("$1", "$3")}) as newer
		from outcomes o
		where o.decision_id = any ($2::uuid[]) and o.decision_id between $5::uuid and $6::uuid
		and not o.batch = any (${newerBatches("$1", "$4")})`,
		[experiment, uuidArray(ids), revision, to, ids[0], ids.at(-1)],
		"segue-book-outcomes",
	);
	const byDecision = new Map<string, ReadOutcome[]>();
	for (const row of rows) {
		const outcome = { event: toBookedEvent(row), isNewer: row.newer };
		const list = byDecision.get(row.decision_id);
		if (list) list.push(outcome);
		else byDecision.set(row.decision_id, [outcome]);
	}
	return byDecision;
}

/** A row without its outcomes. */
export type ReadRow = Omit<Bookable, "outcomes">;

/** Lists of numbers are parts of one: each of its own is one more for the collector. */
export function toRows(
	records: readonly BookedRecord[],
	definitions: BookedDefinitions,
): readonly ReadRow[] {
	const means = fromGridBytesEach(records.map((record) => record.means));
	const propensities = fromDoubleBytesEach(
		records.map((record) => record.propensities),
	);
	let bytes: Buffer | null = null;
	let eligible: number[] = [];
	return records.map((record, i) => {
		// Most are eligible alike.
		if (bytes === null || !record.eligible.equals(bytes)) {
			bytes = record.eligible;
			eligible = fromIndexBytes(bytes);
		}
		return {
			row: {
				id: record.id,
				unit: record.unit,
				session: record.session,
				group: record.assigned_group,
				arm: record.arm,
				context: record.context ?? {},
				eligible,
				means: means[i] as Float64Array,
				propensities: propensities[i] as Float64Array,
				degraded: record.degraded,
				origin: record.origin,
				decidedAt: Math.round(record.decided_at),
			},
			definition: definitions.get(record.definition_id) as Definition,
		};
	});
}

function fromDoubleBytesEach(list: readonly Buffer[]): Float64Array[] {
	const length = list.reduce((sum, bytes) => sum + bytes.length / 8, 0);
	const all = new Float64Array(length);
	let end = 0;
	return list.map((bytes) => {
		const from = end;
		for (let at = 0; at < bytes.length; at += 8)
			all[end++] = bytes.readDoubleLE(at);
		return all.subarray(from, end);
	});
}

const NO_OUTCOMES: readonly ReadOutcome[] = [];

/**
 * Rows with their outcomes, all as they stand at one revision.
 * @param select reads rows in the order of their ids, with what `names` say of their contexts
 */
export async function readBookables(
	read: Read,
	experiment: string,
	revision: number,
	definitions: BookedDefinitions,
	select: (names: readonly string[]) => Promise<readonly BookedRecord[]>,
): Promise<readonly Bookable[]> {
	const records = await definitions.readFor(experiment, select);
	const outcomes = await readOutcomesAt(
		read,
		experiment,
		records.map(({ id }) => id),
		{ revision, to: revision },
	);
	return toRows(records, definitions).map(({ row, definition }) => ({
		row,
		definition,
		outcomes: (outcomes.get(row.id) ?? NO_OUTCOMES).map(({ event }) => event),
	}));
}

/** How booked decisions are in the scores, by id. */
export async function readBooked(
	read: Read,
	experiment: string,
	bookables: readonly Bookable[],
): Promise<{
	readonly unbooked: ReadonlySet<string>;
	readonly blocks: ReadonlyMap<string, ScoreBlock>;
}> {
	if (bookables.length === 0) return { unbooked: new Set(), blocks: new Map() };
	const ids = bookables.map(({ row }) => row.id);
	const unbooked = await read<{ id: string }>(
		"select b.decision_id as id from booking_unbooked b where b.decision_id = any ($1::uuid[])",
		[ids],
	);
	const blocks = await read<BlockRecord & { id: string }>(
		`select r.id, b.side, b.first_id, b.number, b.weights
		from unnest($2::uuid[], $3::int[], $4::int[], $5::text[]) as r (id, version, run, side)
		cross join lateral (
			select o.side, o.first_id, o.number, o.weights from booking_blocks o
			where o.experiment = $1 and o.version = r.version and o.run = r.run and o.side = r.side and o.first_id <= r.id
			order by o.first_id desc limit 1
		) b`,
		[
			experiment,
			ids,
			bookables.map(({ definition }) => definition.version),
			bookables.map(({ definition }) => definition.bookedRun),
			bookables.map(({ row }) => row.group as Side),
		],
	);
	return {
		unbooked: new Set(unbooked.map(({ id }) => id)),
		blocks: new Map(blocks.map((block) => [block.id, toBlock(block)])),
	};
}

/** Of a pool, or of a connection inside its transaction. With a name a statement is prepared once per connection. */
export type Read = <Row extends pg.QueryResultRow>(
	text: string,
	values: readonly unknown[],
	name?: string,
) => Promise<Row[]>;

export const readBy =
	(client: Pick<pg.ClientBase, "query">): Read =>
	async <Row extends pg.QueryResultRow>(
		text: string,
		values: readonly unknown[],
		name?: string,
	) =>
		(await client.query<Row>({ text, values: [...values], name })).rows;
