import type { Correction } from "#core/booking";
import type { Definition } from "#core/experiment";
import type { BookingState, LogPart } from "#usecases/booking";
import {
	type BookedRecord,
	bookedColumns,
	newerBatches,
	type Read,
	readBooked,
	readOutcomesAt,
	toBookable,
} from "./book-rows.js";
import type { KnownDefinitions } from "./known-definitions.js";

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
	definitions: KnownDefinitions,
): Promise<LogPart | null> {
	const { experiment, revision, cursor } = state;
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
	const stored = await storedIds(read, experiment, batches);
	const ids = new Set(stored.filter((id) => id <= cursor));
	for (const id of await happenedTo(read, batches, cursor)) ids.add(id);
	return {
		to,
		corrections: await corrections(
			read,
			state,
			to,
			[...ids].sort(),
			definitions,
		),
		newestId: stored.reduce<string | null>(
			(latest, id) => (latest === null || id > latest ? id : latest),
			null,
		),
	};
}

/** Each batch's rows are looked up by its index alone, as in context-log.ts. */
async function storedIds(
	read: Read,
	experiment: string,
	batches: readonly number[],
): Promise<readonly string[]> {
	const rows = await read<{ ids: string | null }>(
		`select string_agg(b.id::text, ',') as ids from unnest($2::bigint[]) as l (batch) cross join lateral (
			select d.id from decisions d where d.batch = l.batch and d.experiment = $1 offset 0
		) b`,
		[experiment, batches],
	);
	return rows[0]?.ids?.split(",") ?? [];
}

async function happenedTo(
	read: Read,
	batches: readonly number[],
	upTo: string,
): Promise<readonly string[]> {
	const rows = await read<{ id: string }>(
		`select distinct b.decision_id as id from unnest($1::bigint[]) as l (batch) cross join lateral (
			select o.decision_id from outcomes o where o.batch = l.batch offset 0
		) b where b.decision_id <= $2::uuid`,
		[batches, upTo],
	);
	return rows.map(({ id }) => id);
}

async function corrections(
	read: Read,
	{ experiment, revision }: BookingState,
	to: number,
	ids: readonly string[],
	definitions: KnownDefinitions,
): Promise<readonly Correction[]> {
	if (ids.length === 0) return [];
	const records = await read<BookedRecord & { newer: boolean }>(
		`select ${bookedColumns}, d.batch = any (${newerBatches("$1", "$3")}) as newer from decisions d
		where d.id = any ($2::uuid[]) and d.experiment = $1 and not d.batch = any (${newerBatches("$1", "$4")}) order by d.id`,
		[experiment, ids, revision, to],
	);
	await definitions.learn(records.map((record) => record.definition_id));
	const at = { revision, to };
	const outcomes = await readOutcomesAt(
		read,
		experiment,
		records.map(({ id }) => id),
		at,
	);
	const pairs = records.map((record) => {
		const definition = definitions.get(record.definition_id) as Definition;
		const all = outcomes.get(record.id) ?? [];
		const of = (own: typeof all) =>
			toBookable(
				record,
				definition,
				own.map(({ event }) => event),
			);
		return {
			before: record.newer ? null : of(all.filter((one) => !one.isNewer)),
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
