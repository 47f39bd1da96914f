import {
	ANY_PART,
	BOTH,
	type BookedCounts,
	type BookedDegraded,
	type BookedDraws,
	type BookedEpoch,
	type BookedMoments,
	type BookedSlice,
	type BookingFreshness,
	COVARIATE_EACH,
	COVARIATE_HEAD,
	type CovariateMoments,
	FIRST,
	MOMENTS,
	PROPENSITY_STEPS,
	type Side,
} from "#core/booking";
import { timeOfId } from "#core/log";
import { type Metric, STEPS } from "#core/metrics";
import type { BookedReads } from "#usecases/booking";
import { type Query, readHours } from "./book-hours.js";
import { type RunRecord, toStoredRun } from "./book-records.js";
import type { Database } from "./database.js";

interface SumsRecord {
	epoch: number;
	slice: string;
	side: Side;
	units: number;
	moments: string;
	covariate: string;
}

interface LookRecord {
	at: Date;
	epoch: number;
	side: Side;
	units: number;
	first_in: number;
	moments: string;
}

/** Rollups as reports are made of them: no statement reads the log. */
export class PostgresBookedReads implements BookedReads {
	constructor(
		private readonly database: Pick<Database, "query" | "snapshot">,
	) {}

	async counts(
		experiment: string,
		version: number,
		run: number,
	): Promise<BookedCounts> {
		const key = [experiment, version, run];
		// One snapshot: booking may move while this reads, and what is counted must belong to the cursor that is told.
		const { freshness, stored, sums, hours, draws, degraded, looks } =
			await this.database.snapshot(async (client) => {
				const query: Query = async (text, values) =>
					(await client.query(text, [...values])).rows;
				return {
					freshness: await readFreshness(query, experiment),
					stored: await this.#run(query, key),
					sums: await this.#sums(query, key),
					hours: await readHours(query, key),
					draws: await this.#draws(query, key),
					degraded: await this.#degraded(query, key),
					looks: await this.#looks(query, key),
				};
			});
		const metrics = stored?.metrics ?? [];
		return {
			experiment,
			version,
			run,
			freshness,
			metrics,
			epochs: toEpochs(sums, metrics),
			hours,
			draws,
			degraded,
			scores: stored?.scores.arms ?? new Map(),
			looks: looks.map(({ at, side, first_in, moments, ...look }) => ({
				...look,
				at: at.getTime(),
				group: side,
				firstIn: first_in,
				moments: toMoments(moments, metrics.length),
			})),
		};
	}

	/** All zero before the first decision is booked. */
	freshness(experiment: string): Promise<BookingFreshness> {
		return readFreshness(
			(text, values) => this.database.query(text, [...values]),
			experiment,
		);
	}

	async #run(query: Query, key: readonly unknown[]) {
		const [row] = await query<RunRecord>(
			`select b.version, b.run, b.metrics, b.scores from booking_runs b
			where b.experiment = $1 and b.version = $2 and b.run = $3`,
			key,
		);
		return row && toStoredRun(row);
	}

	#sums(query: Query, key: readonly unknown[]): Promise<SumsRecord[]> {
		return query<SumsRecord>(
			`select s.epoch, s.slice, s.side, s.units, array_to_string(s.moments, ',') as moments, array_to_string(s.covariate, ',') as covariate
			from booking_sums s where s.experiment = $1 and s.version = $2 and s.run = $3 order by s.epoch, s.slice, s.side`,
			key,
		);
	}

	async #draws(query: Query, key: readonly unknown[]): Promise<BookedDraws[]> {
		const rows = await query<
			Omit<BookedDraws, "expected" | "variance"> & {
				expected: string;
				variance: string;
			}
		>(
			`select d.epoch, d.side as "group", d.arm, d.eligible, d.drawn, d.expected, d.variance from booking_draws d
			where d.experiment = $1 and d.version = $2 and d.run = $3 order by d.epoch, d.side, d.arm`,
			key,
		);
		return rows.map(({ expected, variance, ...row }) => ({
			...row,
			expected: Number(expected) / PROPENSITY_STEPS,
			variance: Number(variance) / PROPENSITY_STEPS,
		}));
	}

	async #degraded(
		query: Query,
		key: readonly unknown[],
	): Promise<BookedDegraded> {
		const rows = await query<{ part: string; decisions: number }>(
			`select d.part, d.decisions from booking_degraded d
			where d.experiment = $1 and d.version = $2 and d.run = $3 and d.decisions <> 0 order by d.part`,
			key,
		);
		const of = (part: string) =>
			rows.find((row) => row.part === part)?.decisions ?? 0;
		return {
			decisions: of(ANY_PART),
			parts: Object.fromEntries(
				rows
					.filter(({ part }) => part !== ANY_PART)
					.map(({ part, decisions }) => [part, decisions]),
			),
		};
	}

	#looks(query: Query, key: readonly unknown[]): Promise<LookRecord[]> {
		return query<LookRecord>(
			`select l.at, l.epoch, l.side, l.units, l.first_in, array_to_string(l.moments, ',') as moments from booking_looks l
			where l.experiment = $1 and l.version = $2 and l.run = $3 order by l.at, l.epoch, l.side`,
			key,
		);
	}
}

async function readFreshness(
	query: Query,
	experiment: string,
): Promise<BookingFreshness> {
	const [row] = await query<{
		cursor: string | null;
		pending: boolean;
		revision: number;
		newest: number;
		decisions: number;
		logged: number;
		unbooked: number;
		booked_at: Date | null;
	}>(
		`select b.cursor, coalesce(b.newest_id > b.cursor or b.revision < r.revision, r.revision > 0, false) as pending, coalesce(b.revision, 0) as revision, coalesce(r.revision, 0) as newest,
				coalesce(b.decisions, 0) as decisions, coalesce(b.unbooked, 0) as unbooked, b.booked_at,
				(select coalesce(sum(v.count), 0) from verdict_counts v
					where v.experiment = $1 and v.kind = 'decision' and v.verdict = 'logged')::bigint as logged
			from (select 1) o left join revisions r on r.experiment = $1 left join bookings b on b.experiment = $1`,
		[experiment],
	);
	const { cursor = null, decisions = 0, logged = 0 } = row ?? {};
	return {
		bookedUpTo: cursor === null ? null : timeOfId(cursor),
		cursor,
		isPending: row?.pending ?? false,
		revision: row?.revision ?? 0,
		newestRevision: row?.newest ?? 0,
		decisions,
		waiting: Math.max(0, logged - decisions),
		unbooked: row?.unbooked ?? 0,
		bookedAt: row?.booked_at?.getTime() ?? null,
	};
}

function toEpochs(
	sums: readonly SumsRecord[],
	metrics: readonly Metric[],
): readonly BookedEpoch[] {
	const unitsIn = (epoch: number, slice: string, side: Side) =>
		sums.find(
			(one) => one.epoch === epoch && one.slice === slice && one.side === side,
		)?.units ?? 0;
	return [...new Set(sums.map(({ epoch }) => epoch))].map((epoch) => ({
		epoch,
		slices: sums
			.filter(
				(one) =>
					one.epoch === epoch && one.slice !== FIRST && one.slice !== BOTH,
			)
			.map((one) => toSlice(one, metrics.length)),
		firstIn: {
			policy: unitsIn(epoch, FIRST, "policy"),
			control: unitsIn(epoch, FIRST, "control"),
		},
		inBoth: unitsIn(epoch, BOTH, "policy"),
	}));
}

function toSlice(
	{ slice, side, units, moments, covariate }: SumsRecord,
	metrics: number,
): BookedSlice {
	return {
		slice,
		group: side,
		units,
		moments: toMoments(moments, metrics),
		covariate: toCovariate(covariate, metrics),
	};
}

/** Steps of the grid are powers of two, so nothing is rounded but the whole number itself. */
const scaled = (value: string | undefined, power: 0 | 1 | 2): number =>
	Number(value || 0) / STEPS ** power;

/** Whole numbers with commas between, which is less to read than a list of texts. */
function toMoments(list: string, metrics: number): readonly BookedMoments[] {
	const values = list.split(",");
	return Array.from({ length: metrics }, (_, i) => {
		const at = (k: number) => values[MOMENTS * i + k];
		return {
			units: scaled(at(0), 0),
			n: scaled(at(1), 0),
			c: scaled(at(2), 1),
			nn: scaled(at(3), 0),
			nc: scaled(at(4), 1),
			cc: scaled(at(5), 2),
		};
	});
}

function toCovariate(list: string, metrics: number): CovariateMoments | null {
	const values = list.split(",");
	const units = scaled(values[0], 0);
	if (units === 0) return null;
	return {
		units,
		x: scaled(values[1], 1),
		xx: scaled(values[2], 2),
		metrics: Array.from({ length: metrics }, (_, i) => {
			const at = (k: number) => values[COVARIATE_HEAD + COVARIATE_EACH * i + k];
			return {
				n: scaled(at(0), 0),
				c: scaled(at(1), 1),
				xn: scaled(at(2), 1),
				xc: scaled(at(3), 2),
			};
		}),
	};
}
