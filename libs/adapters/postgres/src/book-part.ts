import type { Correction } from "#core/booking";
import type { BookingState, LogPart } from "#usecases/booking";
import { uuidArray } from "./binary-array.js";
import {
	type BookedRecord,
	bookedColumns,
	newerBatches,
	type Read,
	readBooked,
	readOutcomesAt,
	toRows,
} from "./book-rows.js";
import type { BookedDefinitions } from "./booked-definitions.js";

/** Revisions that are looked through at once: each is a batch, of some thousand rows at most. */
export const REVISIONS = 32;

export async function readNewestRevision(
	read: Read,
	experiment: string,
): Promise<number> {
	const [row] = await read<{ revision: number }>(
		"select r.revision from revisions r where r.experiment = $1",
		[experiment],
	);
	return row?.revision ?? 0;
}

/** What the next revisions did to what is booked; null where there is none. */
export async function readPart(
	read: Read,
	state: BookingState,
	definitions: BookedDefinitions,
): Promise<LogPart | null> {
	const { experiment, revision } = state;
	const revisions = await read<{ revision: number; batch: number }>(
		`select l.revision, l.batch from revision_log l
		where l.experiment = $1 and l.revision > $2 order by l.revision limit $3`,
		[experiment, revision, REVISIONS],
	);
	// Revisions whose decisions fell out of the log may be gone.
	const to =
		revisions.at(-1)?.revision ?? (await readNewestRevision(read, experiment));
	if (to <= revision) return null;
	const batches = revisions.map(({ batch }) => batch);
	const stored = await readStored(read, state, batches);
	const ids = new Set(stored.below);
	for (const id of await happenedTo(read, state, batches)) ids.add(id);
	return {
		to,
		corrections: await corrections(
			read,
			state,
			to,
			[...ids].sort(),
			definitions,
		),
		newestId: stored.newest,
	};
}

/**
 * The largest id that batches stored, and those below the cursor, which are few. Each batch's rows are looked up by its index alone, as in
 * context-log.ts.
 */
async function readStored(
	read: Read,
	{ experiment, cursor }: BookingState,
	batches: readonly number[],
): Promise<{ readonly newest: string | null; readonly below: string[] }> {
	const [row] = await read<{ newest: string | null; below: string[] }>(
		`with stored as materialized (
			select b.id from unnest($2::bigint[]) as l (batch) cross join lateral (
				select d.id from decisions d where d.batch = l.batch and d.experiment = $1 offset 0
			) b
		)
		select (select s.id from stored s order by s.id desc limit 1) as newest,
			array(select s.id from stored s where s.id <= $3::uuid) as below`,
		[experiment, batches, cursor],
	);
	return row ?? { newest: null, below: [] };
}

/**
 * Booked decisions that batches stored an outcome of. Days before the first that has any are passed over; a bound within a day would have
 * the planner read the day by it.
 */
async function happenedTo(
	read: Read,
	{ experiment, cursor }: BookingState,
	batches: readonly number[],
): Promise<readonly string[]> {
	const [begun] = await read<{ id: string }>(
		`select segue_id_floor(to_timestamp(86400.0 * (coalesce(b.first_hour, 0) / 24))) as id from bookings b where b.experiment = $1`,
		[experiment],
	);
	if (begun === undefined) return [];
	const rows = await read<{ id: string }>(
		`select distinct b.decision_id as id from unnest($1::bigint[]) as l (batch) cross join lateral (
			select o.decision_id from outcomes o where o.batch = l.batch and o.decision_id >= $3::uuid offset 0
		) b where b.decision_id <= $2::uuid`,
		[batches, cursor, begun.id],
	);
	return rows.map(({ id }) => id);
}

async function corrections(
	read: Read,
	{ experiment, revision }: BookingState,
	to: number,
	ids: readonly string[],
	definitions: BookedDefinitions,
): Promise<readonly Correction[]> {
	if (ids.length === 0) return [];
	const records = await definitions.readFor(experiment, (names) =>
		read<BookedRecord & { newer: boolean }>(
			`select ${bookedColumns("$5")}, d.batch = any (${newerBatches("$1", "$3")}) as newer from decisions d
			where d.id = any ($2::uuid[]) and d.experiment = $1 and not d.batch = any (${newerBatches("$1", "$4")}) order by d.id`,
			[experiment, uuidArray(ids), revision, to, names],
		),
	);
	const at = { revision, to };
	const outcomes = await readOutcomesAt(
		read,
		experiment,
		records.map(({ id }) => id),
		at,
	);
	const pairs = toRows(records, definitions).map((row, i) => {
		const all = outcomes.get(row.row.id) ?? [];
		const of = (own: typeof all) => ({
			...row,
			outcomes: own.map(({ event }) => event),
		});
		const isNewer = records[i]?.newer === true;
		return {
			before: isNewer ? null : of(all.filter((one) => !one.isNewer)),
			after: of(all),
		};
	});
	const { unbooked, blocks } = await readBooked(
		read,
		experiment,
		pairs.flatMap(({ before }) => before ?? []),
	);
	return pairs.map(({ before, after }) => ({
		before: before && {
			bookable: before,
			isUnbooked: unbooked.has(before.row.id),
			block: blocks.get(before.row.id) ?? null,
		},
		after,
	}));
}
