import type pg from "pg";
import { sideOf } from "#core/booking";
import {
	addGains,
	countGuarded,
	type GuardBook,
	type Guarded,
	moveSums,
	type SumsBySide,
} from "#core/guarding";
import type { BookPart, BookStep, GuardBooks } from "#usecases/guarding";
import { GATE } from "./advisory-locks.js";
import type { Database } from "./database.js";
import {
	nextIds,
	nextRevision,
	readGuarded,
	readGuardedOutcomes,
	touchedIds,
} from "./guard-log.js";
import {
	addToGuardSums,
	type BookRecord,
	CLOCKS_APART_MS,
	moveBook,
	openBook,
	readGuardSums,
	readUnits,
	takeUnits,
	writeUnits,
} from "./guard-sql.js";

/** Each is a batch, of some thousand decisions at most. */
const REVISIONS = 8;
const DECISIONS = 1_000;

/**
 * A book is the fold of all decisions up to its cursor as they stood at its revision. A step first takes it to later revisions, counting
 * what they changed up to the cursor as it was and as it is; and once it is at the newest, on to later decisions. It is one transaction under
 * the book's row, so that two who do the same do it one after the other; and under the gate, so that a unit is erased before it or after it.
 */
export class PostgresGuardBooks implements GuardBooks {
	constructor(private readonly database: Database) {}

	step(part: BookPart): Promise<BookStep | null> {
		return this.database.transaction(async (client) => {
			if (!(await enter(client))) return null;
			const { key: experiment } = part.definition.experiment;
			const book = await openBook(client, experiment, part.since, part.book);
			return book === null ? null : stepOn(client, experiment, part, book);
		});
	}

	async sums(
		experiment: string,
		since: number,
		{ withinMs, metrics }: GuardBook,
	): Promise<readonly SumsBySide[] | null> {
		return this.database.transaction(async (client) => {
			const { rows } = await client.query<{ id: number }>(
				"select b.id from guard_books b where b.experiment = $1 and b.since = $2 and b.within_ms = $3",
				[experiment, since, withinMs],
			);
			return rows[0] ? readGuardSums(client, rows[0].id, metrics.length) : null;
		});
	}
}

/** False while an erasure is inside, or waits for learners to leave: the next look is soon enough. */
async function enter(client: pg.ClientBase): Promise<boolean> {
	const { rows } = await client.query<{ entered: boolean }>(
		"select pg_try_advisory_xact_lock_shared($1, 1) as entered",
		[GATE],
	);
	return rows[0]?.entered === true;
}

async function stepOn(
	client: pg.ClientBase,
	experiment: string,
	{ definition, since, book: plan, upTo }: BookPart,
	book: BookRecord,
): Promise<BookStep> {
	const { to, newest } = await nextRevision(
		client,
		experiment,
		book.revision,
		REVISIONS,
	);
	const begunAt = since.at - CLOCKS_APART_MS;
	const touched = await touchedIds(client, experiment, book, to, begunAt);
	const next =
		to === newest
			? await nextIds(client, experiment, book, upTo, DECISIONS)
			: { ids: [], cursor: book.cursor };
	const ids = [...touched, ...next.ids];
	for (let i = 0; i < ids.length; i += DECISIONS) {
		const guarded = await guardedOf(
			client,
			{ experiment, since: since.id, book, to },
			ids.slice(i, i + DECISIONS),
		);
		const gains = countGuarded(definition, plan, guarded);
		if (gains.length === 0) continue;
		const stored = await readUnits(
			client,
			book.id,
			gains.map(({ unit }) => unit),
		);
		const { units, sums } = addGains(plan.metrics, stored, gains);
		await writeUnits(client, book.id, units);
		await addToGuardSums(client, book.id, sums);
	}
	await moveBook(client, book.id, next.cursor, to);
	return {
		isCurrent: to === newest && next.ids.length < DECISIONS,
		isLookable: to === newest,
		sums: await readGuardSums(client, book.id, plan.metrics.length),
	};
}

/** Decisions as the book has them, and as they stand at revision `to`. */
async function guardedOf(
	client: pg.ClientBase,
	{
		experiment,
		since,
		book,
		to,
	}: {
		readonly experiment: string;
		readonly since: number;
		readonly book: BookRecord;
		readonly to: number;
	},
	ids: readonly string[],
): Promise<Guarded[]> {
	const rows = await readGuarded(client, experiment, since, ids, to);
	const outcomes = await readGuardedOutcomes(
		client,
		experiment,
		rows.map(({ id }) => id),
		to,
	);
	return rows.flatMap((record) => {
		const side = sideOf({ ...record, group: record.assigned_group });
		if (side === null) return [];
		const own = outcomes.get(record.id) ?? [];
		const wasCounted =
			record.id <= book.cursor && record.revision <= book.revision;
		return [
			{
				row: {
					unit: record.unit,
					group: record.assigned_group,
					decidedAt: record.decided_at.getTime(),
				},
				side,
				before: wasCounted
					? own
							.filter(
								({ revision }) =>
									revision === null || revision <= book.revision,
							)
							.map(({ event }) => event)
					: null,
				after: own.map(({ event }) => event),
			},
		];
	});
}

/** Erased units count in no guardrail's sums any more. Under the gate, so between steps. */
export async function eraseGuarded(
	client: pg.ClientBase,
	units: readonly string[],
): Promise<void> {
	for (const [book, taken] of await takeUnits(client, units)) {
		const moves = taken.units.map((before) => ({ before, after: null }));
		await addToGuardSums(client, book, moveSums(taken.metrics, moves));
	}
}

/** Units of a book that go at once. */
const FORGOTTEN_AT_ONCE = 5_000;

/**
 * Deletes some of what a book holds that no guardrail counts in any more, since the experiment has a later one. Returns whether there may be
 * more. Units go first, so that an erasure meanwhile finds its units or has nothing to find.
 */
export function forgetBooks(
	database: Pick<Database, "transaction">,
): Promise<boolean> {
	return database.transaction(async (client) => {
		const { rows } = await client.query<{ id: number }>(
			`select b.id from guard_books b where exists (
				select from guard_books n where n.experiment = b.experiment and n.since > b.since
			) order by b.id limit 1 for update skip locked`,
		);
		const book = rows[0]?.id;
		if (book === undefined) return false;
		const gone = await client.query(
			`delete from guard_units u where u.book = $1 and u.unit = any (array(
				select o.unit from guard_units o where o.book = $1 order by o.unit limit $2
			))`,
			[book, FORGOTTEN_AT_ONCE],
		);
		if (gone.rowCount === 0) {
			await client.query("delete from guard_sums s where s.book = $1", [book]);
			await client.query("delete from guard_books b where b.id = $1", [book]);
		}
		return true;
	});
}
