import type pg from "pg";
import type { Bookable, ScoreBlock, Side } from "#core/booking";
import type { Definition } from "#core/experiment";
import type { Event } from "#core/log";
import { type BlockRecord, toBlock } from "./book-records.js";
import {
	type DecisionRecord,
	fromDoubleBytes,
	fromGridBytes,
	fromIndexBytes,
} from "./decision-record.js";
import type { KnownDefinitions } from "./known-definitions.js";
import {
	type OutcomeRecord,
	outcomeColumns,
	toEvent,
} from "./outcome-record.js";

/** The log as booking reads it: rows of an experiment as they stood at a revision. */

export const bookedColumns = `d.id, d.definition_id, d.unit, d.session, d.assigned_group, d.arm, d.context, d.eligible, d.means, d.propensities,
	d.degraded, d.origin, d.decided_at`;

export type BookedRecord = Pick<
	DecisionRecord,
	| "id"
	| "definition_id"
	| "unit"
	| "session"
	| "assigned_group"
	| "arm"
	| "context"
	| "eligible"
	| "means"
	| "propensities"
	| "degraded"
	| "origin"
	| "decided_at"
>;

/**
 * Batches of which the rows are newer than a revision. All others count: a row is never without a batch, and a batch that took no revision
 * stored events that came before their decision, which count with it. They are few where the log is read near its end.
 */
export const newerBatches = (experiment: string, revision: string): string =>
	`array(select l.batch from revision_log l where l.experiment = ${experiment} and l.revision > ${revision})`;

/** An outcome, and whether it is newer than the revision that rollups stand at. */
export interface ReadOutcome {
	readonly event: Event;
	readonly isNewer: boolean;
}

/** Outcomes of decisions as they stand at revision `to`, by decision. */
export async function readOutcomesAt(
	read: Read,
	experiment: string,
	ids: readonly string[],
	{ revision, to }: { readonly revision: number; readonly to: number },
): Promise<ReadonlyMap<string, readonly ReadOutcome[]>> {
	if (ids.length === 0) return new Map();
	const rows = await read<OutcomeRecord & { newer: boolean }>(
		`select ${outcomeColumns}, o.batch = any (${newerBatches("$1", "$3")}) as newer
		from outcomes o
		where o.decision_id = any ($2::uuid[]) and not o.batch = any (${newerBatches("$1", "$4")})`,
		[experiment, ids, revision, to],
	);
	const byDecision = new Map<string, ReadOutcome[]>();
	for (const row of rows) {
		const outcome = { event: toEvent(row), isNewer: row.newer };
		const list = byDecision.get(row.decision_id);
		if (list) list.push(outcome);
		else byDecision.set(row.decision_id, [outcome]);
	}
	return byDecision;
}

export function toBookable(
	record: BookedRecord,
	definition: Definition,
	outcomes: readonly Event[],
): Bookable {
	return {
		row: {
			id: record.id,
			unit: record.unit,
			session: record.session,
			group: record.assigned_group,
			arm: record.arm,
			context: record.context,
			eligible: fromIndexBytes(record.eligible),
			means: fromGridBytes(record.means),
			propensities: fromDoubleBytes(record.propensities),
			degraded: record.degraded,
			origin: record.origin,
			decidedAt: record.decided_at.getTime(),
		},
		definition,
		outcomes,
	};
}

/** Rows with their outcomes, all as they stand at one revision. */
export async function withOutcomes(
	read: Read,
	experiment: string,
	records: readonly BookedRecord[],
	revision: number,
	definitions: KnownDefinitions,
): Promise<readonly Bookable[]> {
	await definitions.learn(records.map((record) => record.definition_id));
	const outcomes = await readOutcomesAt(
		read,
		experiment,
		records.map(({ id }) => id),
		{ revision, to: revision },
	);
	return records.map((record) =>
		toBookable(
			record,
			definitions.get(record.definition_id) as Definition,
			(outcomes.get(record.id) ?? []).map(({ event }) => event),
		),
	);
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

/** Of a pool, or of a connection inside its transaction. */
export type Read = <Row extends pg.QueryResultRow>(
	text: string,
	values: readonly unknown[],
) => Promise<Row[]>;

export const readBy =
	(client: Pick<pg.ClientBase, "query">): Read =>
	async <Row extends pg.QueryResultRow>(
		text: string,
		values: readonly unknown[],
	) =>
		(await client.query<Row>(text, [...values])).rows;
