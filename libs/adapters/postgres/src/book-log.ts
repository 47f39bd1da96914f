import { randomUUID } from "node:crypto";
import type {
	Bookable,
	BookedUpTo,
	BookingChanges,
	RunKey,
	StoredRun,
	StoredUnit,
	UnitKey,
} from "#core/booking";
import { timeOfId, uuidAtTime } from "#core/log";
import type {
	BookedNext,
	BookingLog,
	BookingState,
	LogPart,
} from "#usecases/booking";
import { int4Array, textArray } from "./binary-array.js";
import { REVISIONS, readNewestRevision, readPart } from "./book-part.js";
import {
	type RunRecord,
	toStoredRun,
	toStoredUnit,
	type UnitRecord,
	unitColumns,
} from "./book-records.js";
import {
	type BookedRecord,
	bookedColumns,
	newerBatches,
	type Read,
	readBookables,
} from "./book-rows.js";
import {
	readTurns,
	type StateRecord,
	stateColumns,
	toState,
} from "./book-state.js";
import { keepLook, storeChanges } from "./book-store.js";
import { BookedDefinitions } from "./booked-definitions.js";
import type { Database } from "./database.js";
import type { PostgresDefinitionStore } from "./definition-store.js";

/** Who dies at it keeps others away for so long. */
const CLAIM = "15 seconds";
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const COHORTS_LAST = "40 days";

/**
 * The log behind its rollups. The claim only saves work: that a step is stored once is settled by the row of `bookings`, which says where
 * the rollups stand and which each commit, and each erasure, changes first. So what is read of rollups outside a transaction holds if
 * that row is found as it was.
 */
export class PostgresBookingLog implements BookingLog {
	readonly #self = randomUUID();
	readonly #definitions: BookedDefinitions;
	readonly #read: Read;

	constructor(
		private readonly database: Pick<Database, "query" | "transaction">,
		store: Pick<PostgresDefinitionStore, "byIds">,
	) {
		this.#definitions = new BookedDefinitions((ids) => store.byIds(ids));
		this.#read = (text, values, name) => database.query(text, values, name);
	}

	async behind(clock: number): Promise<readonly string[]> {
		const rows = await this.database.query<{ experiment: string }>(
			`select r.experiment from revisions r left join bookings b on b.experiment = r.experiment
			where r.revision > coalesce(b.revision, 0) or b.newest_id > b.cursor
			or (b.cursor < $1::uuid and b.newest_id > segue_id_floor(clock_timestamp() - $2::interval))
			order by r.experiment`,
			[uuidAtTime(clock - HOUR_MS), COHORTS_LAST],
		);
		return rows.map(({ experiment }) => experiment);
	}

	async claim(experiment: string): Promise<BookingState | null> {
		const claim = () =>
			this.database.query<StateRecord>(
				`update bookings b set claimed_by = $2, claimed_until = clock_timestamp() + $3::interval
				where b.experiment = $1 and (b.claimed_by = $2 or b.claimed_until < clock_timestamp())
				returning ${stateColumns}`,
				[experiment, this.#self, CLAIM],
			);
		let [claimed] = await claim();
		if (claimed === undefined && (await this.#begin(experiment)))
			[claimed] = await claim();
		return claimed === undefined
			? null
			: toState(claimed, await readTurns(this.#read, experiment));
	}

	/** What this process claimed, for others at once. */
	async release(experiment: string): Promise<void> {
		await this.database.query(
			"update bookings b set claimed_by = null, claimed_until = '-infinity' where b.experiment = $1 and b.claimed_by = $2",
			[experiment, this.#self],
		);
	}

	async newest(experiment: string) {
		const revision = await readNewestRevision(this.#read, experiment);
		const [row] = await this.database.query<{ id: string }>(
			"select d.id from decisions d order by d.id desc limit 1",
		);
		return { revision, newestId: row?.id ?? uuidAtTime(0) };
	}

	part(state: BookingState): Promise<LogPart | null> {
		return readPart(this.#read, state, this.#definitions);
	}

	page(
		{ experiment, cursor, revision }: BookingState,
		upTo: string,
		most: number,
	): Promise<readonly Bookable[]> {
		return this.#bookables(experiment, revision, (names) =>
			this.#read<BookedRecord>(
				`select ${bookedColumns("$6")} from decisions d
				where d.experiment = $1 and d.id > $2::uuid and d.id <= $3::uuid and not d.batch = any (${newerBatches("$1", "$4")})
				order by d.id limit $5`,
				[experiment, cursor, upTo, revision, most, names],
				"segue-book-page",
			),
		);
	}

	decisionsOf(
		experiment: string,
		units: readonly UnitKey[],
		{ cursor, revision }: Pick<BookedUpTo, "cursor" | "revision">,
	): Promise<readonly Bookable[]> {
		const distinct = [...new Set(units.map(({ unit }) => unit))];
		return this.#bookables(experiment, revision, (names) =>
			this.#read<BookedRecord>(
				`select ${bookedColumns("$5")} from decisions d
				where d.unit = any ($2::text[]) and d.experiment = $1 and d.id <= $3::uuid and not d.batch = any (${newerBatches("$1", "$4")})
				order by d.id`,
				[experiment, distinct, cursor, revision, names],
			),
		);
	}

	async units(
		experiment: string,
		keys: readonly UnitKey[],
	): Promise<readonly StoredUnit[]> {
		const rows = await this.database.query<UnitRecord>(
			`select ${unitColumns} from unnest($2::text[], $3::int[], $4::int[], $5::int[]) as r (unit, version, run, epoch)
			join booking_units u on u.unit = r.unit and u.experiment = $1 and u.version = r.version and u.run = r.run and u.epoch = r.epoch`,
			[
				experiment,
				textArray(keys.map(({ unit }) => unit)),
				int4Array(keys.map(({ version }) => version)),
				int4Array(keys.map(({ run }) => run)),
				int4Array(keys.map(({ epoch }) => epoch)),
			],
			"segue-book-units",
		);
		return rows.map(toStoredUnit);
	}

	async runs(
		experiment: string,
		keys: readonly RunKey[],
	): Promise<readonly StoredRun[]> {
		const rows = await this.database.query<RunRecord>(
			`select b.version, b.run, b.metrics, b.scores from booking_runs b
			where b.experiment = $1 and (b.version, b.run) in (select r.version, r.run from unnest($2::int[], $3::int[]) as r (version, run))`,
			[
				experiment,
				keys.map(({ version }) => version),
				keys.map(({ run }) => run),
			],
		);
		return rows.map(toStoredRun);
	}

	async unitsOfHours(
		experiment: string,
		hours: readonly number[],
		after: number | null,
		most: number,
	): Promise<readonly StoredUnit[]> {
		const rows = await this.database.query<UnitRecord>(
			`select ${unitColumns} from booking_units u
			where u.experiment = $1 and u.first_hour = any ($2::int[]) and u.id > $3 order by u.id limit $4`,
			[experiment, hours, after ?? 0, most],
		);
		return rows.map(toStoredUnit);
	}

	commit(
		state: BookingState,
		next: BookedNext,
		changes: BookingChanges,
	): Promise<boolean> {
		const { experiment } = state;
		return this.database.transaction(async (client) => {
			const moved = await client.query(
				`update bookings b set cursor = $5, revision = $6, closing_hour = $7, closed_up_to = $8, newest_id = $9,
					decisions = b.decisions + $10, unbooked = b.unbooked + $11, booked_at = clock_timestamp(),
					claimed_by = $12, claimed_until = clock_timestamp() + $13::interval, first_hour = least(
						b.first_hour, $16,
						case when b.first_hour is null then (
							select (extract(epoch from min(d.day)) / 3600)::int from booking_days d where d.experiment = b.experiment
						) end
					)
				where b.experiment = $1 and b.cursor = $2 and b.revision = $3 and b.erasures = $4
				and b.closing_hour = $14 and b.closed_up_to is not distinct from $15`,
				[
					experiment,
					state.cursor,
					state.revision,
					state.erasures,
					next.cursor,
					next.revision,
					next.closings.hour,
					next.closings.after,
					next.newestId,
					changes.decisions,
					changes.unbooked.length,
					this.#self,
					CLAIM,
					state.closings.hour,
					state.closings.after,
					firstHourIn(changes),
				],
			);
			if (moved.rowCount === 0) return false;
			await storeChanges(client, experiment, changes);
			if (next.look !== null)
				await keepLook(client, experiment, next.look, changes.sums);
			return true;
		});
	}

	/**
	 * A cursor below all decisions of the experiment: a day before it was made, or before the first that its first batches stored. False
	 * where it has one already.
	 */
	async #begin(experiment: string): Promise<boolean> {
		const [row] = await this.database.query<{
			created_at: Date | null;
			oldest: string | null;
		}>(
			`select (select min(d.created_at) from experiment_definitions d where d.experiment = $1) as created_at,
				(select b.id from (
					select l.batch from revision_log l where l.experiment = $1 order by l.revision limit $2
				) l cross join lateral (
					select d.id from decisions d where d.batch = l.batch and d.experiment = $1 offset 0
				) b order by b.id limit 1) as oldest
			where not exists (select from bookings b where b.experiment = $1)`,
			[experiment, REVISIONS],
		);
		if (row === undefined) return false;
		const startsAt =
			Math.min(
				row.created_at?.getTime() ?? Number.POSITIVE_INFINITY,
				row.oldest === null ? Number.POSITIVE_INFINITY : timeOfId(row.oldest),
			) - DAY_MS;
		if (!Number.isFinite(startsAt)) return false;
		const start = uuidAtTime(startsAt);
		await this.database.query(
			`insert into bookings (experiment, cursor, newest_id, closing_hour, visits_since)
			select $1, $2, $2, $3, case when exists (
				select from experiment_definitions d where d.experiment = $1 and d.definition ->> 'sticky' = 'unit'
			) then i.visits_since else '00000000-0000-0000-0000-000000000000' end
			from installation i on conflict do nothing`,
			[experiment, start, Math.floor(startsAt / HOUR_MS)],
		);
		return true;
	}

	#bookables(
		experiment: string,
		revision: number,
		select: (names: readonly string[]) => Promise<readonly BookedRecord[]>,
	): Promise<readonly Bookable[]> {
		return readBookables(
			this.#read,
			experiment,
			revision,
			this.#definitions,
			select,
		);
	}
}

/** Of the decisions that changes count; null where they count none. */
const firstHourIn = ({ hours }: BookingChanges): number | null =>
	hours.reduce<number | null>(
		(first, { hour }) => (first === null ? hour : Math.min(first, hour)),
		null,
	);
