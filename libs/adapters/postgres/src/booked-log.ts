import {
	type Bookable,
	type BookedUpTo,
	type EpochKey,
	epochOf,
	type RunKey,
	runKeyOf,
	type UnitKey,
} from "#core/booking";
import type { BookedLog, BookingState, StoredRollups } from "#usecases/booking";
import { PostgresBookingLog } from "./book-log.js";
import {
	type RunRecord,
	toStoredRun,
	toStoredUnit,
	type UnitRecord,
	unitColumns,
} from "./book-records.js";
import { type Read, readBooked } from "./book-rows.js";
import { LOG_BEGINS } from "./closed-sums.js";
import type { Database } from "./database.js";
import type { PostgresDefinitionStore } from "./definition-store.js";

const PATIENCE_MS = 60_000;
const PAUSE_MS = 500;

type Counted<Columns> = EpochKey & Columns;

/** The log behind its rollups, and these as they are stored, to be counted again. */
export class PostgresBookedLog implements BookedLog {
	readonly #log: PostgresBookingLog;
	readonly #read: Read;

	constructor(
		private readonly database: Pick<Database, "query" | "transaction">,
		store: Pick<PostgresDefinitionStore, "byIds">,
	) {
		this.#log = new PostgresBookingLog(database, store);
		this.#read = (text, values) => database.query(text, values);
	}

	async booked(): Promise<readonly string[]> {
		const rows = await this.database.query<{ experiment: string }>(
			"select b.experiment from bookings b where b.revision > 0 order by b.experiment",
		);
		return rows.map(({ experiment }) => experiment);
	}

	async hold(experiment: string, signal?: AbortSignal): Promise<BookingState> {
		const deadline = performance.now() + PATIENCE_MS;
		while (true) {
			signal?.throwIfAborted();
			const state = await this.#log.claim(experiment);
			if (state !== null) return state;
			if (performance.now() > deadline)
				throw new Error(
					`A learner has booked ${experiment} for all of a minute, so its rollups do not stand still. Try again when it has caught up.`,
				);
			await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
		}
	}

	release(experiment: string): Promise<void> {
		return this.#log.release(experiment);
	}

	async horizon(): Promise<string> {
		const [row] = await this.database.query<{ floor: string }>(
			`select ${LOG_BEGINS} as floor`,
		);
		return row?.floor ?? "";
	}

	page(
		state: BookingState,
		upTo: string,
		most: number,
	): Promise<readonly Bookable[]> {
		return this.#log.page(state, upTo, most);
	}

	decisionsOf(
		experiment: string,
		units: readonly UnitKey[],
		upTo: Pick<BookedUpTo, "cursor" | "revision">,
	): Promise<readonly Bookable[]> {
		return this.#log.decisionsOf(experiment, units, upTo);
	}

	async unitsAfter(experiment: string, after: number, most: number) {
		const rows = await this.database.query<UnitRecord>(
			`select ${unitColumns} from booking_units u where u.experiment = $1 and u.id > $2 order by u.id limit $3`,
			[experiment, after, most],
		);
		return rows.map(toStoredUnit);
	}

	inScores(experiment: string, decisions: readonly Bookable[]) {
		return readBooked(this.#read, experiment, decisions);
	}

	async rollups(experiment: string): Promise<StoredRollups> {
		const [head] = await this.database.query<{
			forgotten: number;
			cut: boolean;
		}>(
			`select b.forgotten, exists (
				select from booking_hours h
				where h.experiment = $1 and segue_id_floor(h.hour) < ${LOG_BEGINS} and h.decisions <> 0
			) as cut from bookings b where b.experiment = $1`,
			[experiment],
		);
		const runs = await this.database.query<RunRecord>(
			"select b.version, b.run, b.metrics, b.scores from booking_runs b where b.experiment = $1",
			[experiment],
		);
		return {
			runs: runs.map(toStoredRun),
			counts: new Map([
				...(await this.#sums(experiment)),
				...(await this.#spans(experiment, "hour")),
				...(await this.#spans(experiment, "day")),
				...(await this.#draws(experiment)),
				...(await this.#degraded(experiment)),
			]),
			forgotten: head?.forgotten ?? 0,
			isCut: head?.cut ?? false,
		};
	}

	async #sums(experiment: string) {
		const rows = await this.database.query<
			Counted<{
				slice: string;
				side: string;
				units: number;
				moments: string;
				covariate: string;
			}>
		>(
			`select s.version, s.run, s.epoch, s.slice, s.side, s.units,
				array_to_string(s.moments, ',') as moments, array_to_string(s.covariate, ',') as covariate
			from booking_sums s where s.experiment = $1`,
			[experiment],
		);
		return rows.flatMap(
			({ slice, side, units, moments, covariate, ...key }) => {
				const name = `sums ${epochOf(key)} ${side} ${slice}`;
				return [
					[name, [BigInt(units), ...numbers(moments)]],
					[`${name} covariate`, numbers(covariate)],
				] as const;
			},
		);
	}

	/** Decisions by hour or by day, both numbered since 1970. */
	async #spans(experiment: string, span: "hour" | "day") {
		const seconds = span === "hour" ? 3_600 : 86_400;
		const rows = await this.database.query<
			Counted<{ place: number; group: string; arm: string; counts: string }>
		>(
			`select s.version, s.run, s.epoch, (extract(epoch from s.${span}) / ${seconds})::int as place, s."group", s.arm,
				concat_ws(',', s.decisions, s.shown, s.learned, s.reward) as counts
			from booking_${span}s s where s.experiment = $1`,
			[experiment],
		);
		return rows.map(
			(row) =>
				[
					`${span} ${epochOf(row)} ${row.place} ${row.group} ${row.arm}`,
					numbers(row.counts),
				] as const,
		);
	}

	async #draws(experiment: string) {
		const rows = await this.database.query<
			Counted<{ side: string; arm: string; counts: string }>
		>(
			`select d.version, d.run, d.epoch, d.side, d.arm,
				concat_ws(',', d.eligible, d.drawn, d.expected, d.variance) as counts
			from booking_draws d where d.experiment = $1`,
			[experiment],
		);
		return rows.map(
			(row) =>
				[
					`draws ${epochOf(row)} ${row.side} ${row.arm}`,
					numbers(row.counts),
				] as const,
		);
	}

	async #degraded(experiment: string) {
		const rows = await this.database.query<
			RunKey & { part: string; decisions: number }
		>(
			"select d.version, d.run, d.part, d.decisions from booking_degraded d where d.experiment = $1",
			[experiment],
		);
		return rows.map(
			(row) =>
				[
					`degraded ${runKeyOf(row)} ${row.part}`,
					[BigInt(row.decisions)],
				] as const,
		);
	}
}

const numbers = (list: string): readonly bigint[] =>
	list === "" ? [] : list.split(",").map(BigInt);
