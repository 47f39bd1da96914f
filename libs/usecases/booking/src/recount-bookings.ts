import {
	type Bookable,
	BookingStep,
	emptyRunScores,
	epochOf,
	runKeyOf,
	type StoredRun,
	type StoredUnit,
	unitKeyOf,
} from "#core/booking";
import type { ScoreSums } from "#core/statistics";
import { countsOf } from "./counts-of.js";
import { rollupDifference, unitDifference } from "./differences.js";
import type { BookedLog, BookingState, StoredRollups } from "./ports.js";

const PAGE = 1_000;
const UNITS = 200;
const MOST_TRIES = 5;
const MOST_DIFFERENCES = 20;
/** Relative; scores are float64 sums. */
const TOLERANCE = 1e-9;

export interface RecountedBookings {
	readonly equal: boolean;
	readonly experiments: readonly RecountedExperiment[];
}

export interface RecountedExperiment {
	readonly experiment: string;
	/** Decisions that the log still has, counted again. */
	readonly decisions: number;
	/** Units whose rows were made again from the log. */
	readonly units: number;
	/** Why a part of it could not be counted again; null where all could. */
	readonly partial: string | null;
	/** The first few, in words. */
	readonly differences: readonly string[];
}

/**
 * Counts the log again and compares with the rollups: hours, draws, units and sums bit for bit, scores within 1e-9. Booking of an
 * experiment waits meanwhile, and an erasure in between makes its recount anew.
 */
export class RecountBookings {
	constructor(private readonly log: BookedLog) {}

	/** @param signal rejects with its reason soon after it is aborted; whether so or to the end, booking goes on at once */
	async execute(
		only?: string,
		signal?: AbortSignal,
	): Promise<RecountedBookings> {
		const experiments: RecountedExperiment[] = [];
		for (const experiment of await this.log.booked())
			if (only === undefined || only === experiment)
				experiments.push(await this.#released(experiment, signal));
		return {
			equal: experiments.every(({ differences }) => differences.length === 0),
			experiments,
		};
	}

	/** A claim that cannot be released ends by itself, and why the recount failed matters more. */
	async #released(
		experiment: string,
		signal?: AbortSignal,
	): Promise<RecountedExperiment> {
		let recounted: RecountedExperiment;
		try {
			recounted = await this.#untilUndisturbed(experiment, signal);
		} catch (error) {
			await this.log.release(experiment).catch(() => {});
			throw error;
		}
		await this.log.release(experiment);
		return recounted;
	}

	async #untilUndisturbed(
		experiment: string,
		signal?: AbortSignal,
	): Promise<RecountedExperiment> {
		for (let tries = 1; tries <= MOST_TRIES; tries++) {
			const state = await this.log.hold(experiment, signal);
			const counted = await new Recount(this.log, state, signal).execute();
			const now = await this.log.hold(experiment, signal);
			if (now.erasures === state.erasures && now.cursor === state.cursor)
				return counted;
		}
		throw new Error(
			`Units of ${experiment} were erased during each of ${MOST_TRIES} tries, so that nothing can be told. Run it again when erasures are through.`,
		);
	}
}

class Recount {
	readonly #differences: string[] = [];
	readonly #counts = new Map<string, bigint[]>();
	#runs: readonly StoredRun[] = [];
	#decisions = 0;
	#units = 0;

	constructor(
		private readonly log: BookedLog,
		private readonly state: BookingState,
		private readonly signal: AbortSignal | undefined,
	) {}

	async execute(): Promise<RecountedExperiment> {
		const { experiment } = this.state;
		const stored = await this.log.rollups(experiment);
		const horizon = await this.log.horizon();
		await this.#countDecisions();
		await this.#countUnits(horizon, stored.runs);
		const isWhole = stored.forgotten === 0 && !stored.isCut;
		if (isWhole) {
			this.#compare(stored.counts, stored.runs);
			this.#compareScores(stored.runs);
		} else if (stored.forgotten === 0)
			this.#compareSums(stored.counts, stored.runs);
		return {
			experiment,
			decisions: this.#decisions,
			units: this.#units,
			partial: isWhole
				? null
				: "days of its log were dropped: only units that the log has whole were counted again",
			differences: this.#differences.slice(0, MOST_DIFFERENCES),
		};
	}

	/** Hours, draws and scores, in the order of ids. They are taken out of nothing, so that the weights are those that were kept. */
	async #countDecisions(): Promise<void> {
		for await (const page of this.#pages()) {
			const step = new BookingStep([], this.#runs, this.state.closings);
			const { unbooked, blocks } = await this.log.inScores(
				this.state.experiment,
				page,
			);
			for (const bookable of page) {
				const { id } = bookable.row;
				const isUnbooked = unbooked.has(id);
				step.forget({ bookable, isUnbooked, block: blocks.get(id) ?? null });
			}
			const changes = step.changes();
			this.#add(countsOf({ ...changes, sums: [] }), -1n);
			const known = new Map(this.#runs.map((run) => [runKeyOf(run), run]));
			for (const run of changes.runs) known.set(runKeyOf(run), run);
			this.#runs = [...known.values()];
			this.#decisions += page.length;
		}
	}

	async *#pages(): AsyncGenerator<readonly Bookable[]> {
		const { cursor } = this.state;
		let after = "00000000-0000-0000-0000-000000000000";
		while (true) {
			await this.log.hold(this.state.experiment, this.signal);
			const page = await this.log.page(
				{ ...this.state, cursor: after },
				cursor,
				PAGE,
			);
			if (page.length > 0) yield page;
			if (page.length < PAGE) return;
			after = (page.at(-1) as Bookable).row.id;
		}
	}

	/** Each unit's row from its decisions, where the log has all of them; and the sums from the rows. */
	async #countUnits(
		horizon: string,
		runs: readonly StoredRun[],
	): Promise<void> {
		const { experiment, closings } = this.state;
		for (let after = 0, more = true; more; ) {
			await this.log.hold(experiment, this.signal);
			const units = await this.log.unitsAfter(experiment, after, UNITS);
			const sums = new BookingStep(units, runs, closings);
			sums.forgetUnits();
			this.#add(
				countsOf({ ...sums.changes(), hours: [], draws: [], degraded: [] }),
				-1n,
			);
			const whole = units.filter(({ entry }) =>
				Object.values(entry).every(({ first }) => first >= horizon),
			);
			await this.#compareUnits(whole, runs);
			this.#units += whole.length;
			more = units.length === UNITS;
			after = units.at(-1)?.id ?? 0;
		}
	}

	async #compareUnits(
		units: readonly StoredUnit[],
		runs: readonly StoredRun[],
	): Promise<void> {
		if (units.length === 0) return;
		const wanted = new Map(units.map((unit) => [unitKeyOf(unit), unit]));
		const step = new BookingStep([], runs, this.state.closings);
		const decisions = await this.log.decisionsOf(
			this.state.experiment,
			units,
			this.state,
		);
		for (const bookable of decisions) step.book(bookable);
		if (step.toRemake.length > 0) step.remake(decisions);
		const made = new Map(
			step.changes().units.map((unit) => [unitKeyOf(unit), unit]),
		);
		const metrics = metricsByRun(runs);
		for (const [key, unit] of wanted) {
			const found = unitDifference(
				unit.entry,
				made.get(key)?.entry ?? {},
				metrics.get(runKeyOf(unit)) ?? [],
			);
			if (found !== null)
				this.#differ(
					`a unit of version, run and epoch ${epochOf(unit)}: ${found}`,
				);
		}
	}

	#add(counts: ReadonlyMap<string, readonly bigint[]>, sign: 1n | -1n): void {
		for (const [key, values] of counts) {
			const own = this.#counts.get(key) ?? [];
			this.#counts.set(
				key,
				Array.from(
					{ length: Math.max(own.length, values.length) },
					(_, i) => (own[i] ?? 0n) + sign * (values[i] ?? 0n),
				),
			);
		}
	}

	#compare(stored: StoredRollups["counts"], runs: readonly StoredRun[]): void {
		const metrics = metricsByRun(runs);
		for (const key of new Set([...stored.keys(), ...this.#counts.keys()])) {
			const [, version, run] = key.split(" ", 3);
			const found = rollupDifference(
				key,
				stored.get(key) ?? [],
				this.#counts.get(key) ?? [],
				metrics.get(`${version} ${run}`) ?? [],
			);
			if (found !== null) this.#differ(found);
		}
	}

	#compareSums(
		stored: StoredRollups["counts"],
		runs: readonly StoredRun[],
	): void {
		const isSum = (key: string) => key.startsWith("sums ");
		for (const key of [...this.#counts.keys()])
			if (!isSum(key)) this.#counts.delete(key);
		this.#compare(new Map([...stored].filter(([key]) => isSum(key))), runs);
	}

	/** What was taken out of nothing is less than nothing by what was booked. */
	#compareScores(stored: readonly StoredRun[]): void {
		const counted = new Map(
			this.#runs.map((run) => [runKeyOf(run), run.scores]),
		);
		for (const run of stored)
			for (const [arm, sums] of run.scores.arms) {
				const own = (counted.get(runKeyOf(run)) ?? emptyRunScores()).arms.get(
					arm,
				);
				for (const name of Object.keys(sums) as (keyof ScoreSums)[]) {
					const want = -(own?.[name] ?? 0);
					const most = TOLERANCE * Math.max(1, Math.abs(want));
					if (!(Math.abs(sums[name] - want) <= most))
						this.#differ(
							`score ${name} of arm ${arm}, version and run ${runKeyOf(run)}: ${sums[name]} is stored, ${want} counted`,
						);
				}
			}
	}

	#differ(what: string): void {
		this.#differences.push(what);
	}
}

const metricsByRun = (runs: readonly StoredRun[]) =>
	new Map(runs.map((run) => [runKeyOf(run), run.metrics]));
