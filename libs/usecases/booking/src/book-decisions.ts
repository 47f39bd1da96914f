import {
	type Bookable,
	type BookingChanges,
	BookingStep,
	bookedIn,
	type Closings,
	COHORT_HOURS,
	closeCohorts,
	type RunKey,
	runKeyOf,
	type StoredUnit,
	type UnitKey,
	unitKeyOf,
	unitOf,
} from "#core/booking";
import { timeOfId, uuidAtTime } from "#core/log";
import { Leisure } from "#usecases/pacing";
import { lookAt, passHours } from "./hours-passed.js";
import type { BookedNext, BookingLog, BookingState } from "./ports.js";
import { LEAST_DELAY_MS, MOST_DELAY_MS, ripeAfterMs } from "./ripe.js";

const PAGE = 1_000;
/** Units whose cohorts are closed at once. */
const MOST_CLOSED = 1_000;
/** Before the others have their turn: bounds what a stop waits for. */
const MOST_STEPS = 250;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** From so far behind on it works half of the time, lest it never catch up. */
const FAR_BEHIND_MS = 10 * MINUTE_MS;
const LITTLE_REST = 1;
/** A cursor that passes no decision moves on in such strides. */
const LEAST_MOVE_MS = 30_000;

const NOTHING: BookingChanges = {
	units: [],
	sums: [],
	hours: [],
	draws: [],
	degraded: [],
	runs: [],
	blocks: [],
	unbooked: [],
	decisions: 0,
};

interface Step {
	readonly next: BookedNext;
	readonly changes: BookingChanges;
}

/**
 * Books what is new in the log into rollups, in steps that are stored together with how far they go: first what newer revisions change
 * below the cursor, then decisions up to the watermark in the order of their ids, then cohorts whose time is over. Whoever is killed, or
 * does the same as another, stores nothing twice.
 */
export class BookDecisions {
	/** How long decisions of an experiment last took to be ripe. */
	readonly #delays = new Map<string, number>();

	constructor(
		private readonly log: BookingLog,
		private readonly isStopped: () => boolean = () => false,
		private readonly pageSize = PAGE,
	) {}

	/**
	 * Returns how many decisions were booked or corrected.
	 * @param clock the stream's time, milliseconds: all that it stored before has been learned
	 * @param onFailed told of each experiment that could not be booked, while the others are; without it the first of them ends it all
	 */
	async execute(
		clock: number,
		onFailed: (experiment: string, error: unknown) => void = rethrow,
	): Promise<number> {
		let decisions = 0;
		for (const experiment of await this.log.behind(clock))
			try {
				for await (const booked of this.#steps(experiment, clock))
					decisions += booked;
			} catch (error) {
				onFailed(experiment, error);
			}
		return decisions;
	}

	/** How many decisions each step that was stored booked or corrected. */
	async *#steps(experiment: string, clock: number): AsyncGenerator<number> {
		let known: BookingState | null = null;
		for (let i = 0; i < MOST_STEPS && !this.isStopped(); i++) {
			const state: BookingState | null =
				known ?? (await this.log.claim(experiment));
			if (state === null) return;
			const leisure = new Leisure(
				this.#isFarBehind(state, clock) ? LITTLE_REST : undefined,
			);
			const step = await this.#next(state, clock, leisure);
			if (step === null) return;
			const isStored = await this.log.commit(state, step.next, step.changes);
			if (isStored) yield step.changes.decisions;
			// What is stored renews the claim.
			known = isStored ? { ...state, ...step.next } : null;
			await leisure.rest();
		}
	}

	#isFarBehind({ experiment, cursor }: BookingState, clock: number): boolean {
		const delay = this.#delays.get(experiment) ?? 0;
		return timeOfId(cursor) < clock - delay - FAR_BEHIND_MS;
	}

	async #next(
		state: BookingState,
		clock: number,
		leisure: Leisure,
	): Promise<Step | null> {
		return (
			(await this.#correct(state, leisure)) ??
			(await this.#book(state, clock, leisure)) ??
			(await this.#close(state))
		);
	}

	/** What newer revisions change of what is booked. */
	async #correct(state: BookingState, leisure: Leisure): Promise<Step | null> {
		if (state.revision === 0) return this.#begin(state);
		const part = await this.log.part(state);
		if (part === null) return null;
		const { to, corrections, newestId } = part;
		const next = {
			...state,
			revision: to,
			newestId:
				newestId !== null && newestId > state.newestId
					? newestId
					: state.newestId,
			look: null,
		};
		if (corrections.length === 0) return { next, changes: NOTHING };
		const step = await this.#stepOf(
			state,
			corrections.map(({ after }) => after),
		);
		for (const correction of corrections) {
			step.correct(correction);
			if (leisure.isDue) await leisure.rest();
		}
		return this.#remade(state.experiment, step, next);
	}

	/** Nothing is booked yet, so there is nothing to correct. */
	async #begin(state: BookingState): Promise<Step | null> {
		const { revision, newestId } = await this.log.newest(state.experiment);
		if (revision === 0) return null;
		return {
			next: { ...state, revision, newestId, look: null },
			changes: NOTHING,
		};
	}

	/** The next decisions whose windows are closed. */
	async #book(
		state: BookingState,
		clock: number,
		leisure: Leisure,
	): Promise<Step | null> {
		const { experiment, cursor, newestId } = state;
		const watermark = (otherwise: number) =>
			uuidAtTime(clock - (this.#delays.get(experiment) ?? otherwise));
		if (newestId <= cursor) {
			const next = passHours(state, watermark(MOST_DELAY_MS));
			return next && { next, changes: NOTHING };
		}
		const upTo = watermark(LEAST_DELAY_MS);
		if (upTo <= cursor) return null;
		const rows = await this.log.page(state, upTo, this.pageSize);
		const ripe = this.#ripeOf(experiment, rows, clock);
		// The rows told how long decisions take now, which may be shorter: what the page was not asked for stays ahead.
		const reached =
			ripe.length === rows.length && rows.length < this.pageSize
				? earlier(upTo, watermark(MOST_DELAY_MS))
				: ripe.at(-1)?.row.id;
		if (reached === undefined || reached <= cursor) return null;
		const next = { ...state, cursor: reached, look: lookAt(cursor, reached) };
		if (ripe.length === 0)
			return timeOfId(reached) < timeOfId(cursor) + LEAST_MOVE_MS
				? null
				: { next, changes: NOTHING };
		const step = await this.#stepOf(state, ripe);
		for (const bookable of ripe) {
			step.book(bookable);
			if (leisure.isDue) await leisure.rest();
		}
		return this.#remade(experiment, step, next);
	}

	/** The leading decisions whose windows are closed: none is passed over. */
	#ripeOf(
		experiment: string,
		rows: readonly Bookable[],
		clock: number,
	): readonly Bookable[] {
		const unripe = rows.findIndex(({ row, definition }) => {
			const delay = ripeAfterMs(definition);
			this.#delays.set(experiment, delay);
			return Math.max(row.decidedAt, timeOfId(row.id)) + delay > clock;
		});
		return unripe < 0 ? rows : rows.slice(0, unripe);
	}

	async #stepOf(
		{ experiment, closings }: BookingState,
		decisions: readonly Bookable[],
	): Promise<BookingStep> {
		const units = new Map<string, UnitKey>();
		const runs = new Map<string, RunKey>();
		for (const decision of decisions) {
			const run = bookedIn(decision.definition);
			runs.set(runKeyOf(run), run);
			const unit = unitOf(decision);
			if (unit !== null) units.set(unitKeyOf(unit), unit);
		}
		return new BookingStep(
			await this.log.units(experiment, [...units.values()]),
			await this.log.runs(experiment, [...runs.values()]),
			closings,
		);
	}

	/** What only the whole of a unit's decisions tells is read again. */
	async #remade(
		experiment: string,
		step: BookingStep,
		next: BookedNext,
	): Promise<Step> {
		const again = step.toRemake;
		if (again.length > 0)
			step.remake(await this.log.decisionsOf(experiment, again, next));
		return { next, changes: step.changes() };
	}

	/** Cohorts whose last hour is over. */
	async #close(state: BookingState): Promise<Step | null> {
		const { experiment, cursor, closings } = state;
		const end = Math.floor(timeOfId(cursor) / HOUR_MS);
		let { hour, after } = closings;
		let units: readonly StoredUnit[] = [];
		while (units.length === 0 && hour <= end) {
			units = await this.log.unitsOfHours(
				experiment,
				COHORT_HOURS.map((hours) => hour - hours),
				after,
				MOST_CLOSED,
			);
			if (units.length < MOST_CLOSED) {
				hour += 1;
				after = null;
			} else after = (units.at(-1) as StoredUnit).id;
		}
		const closed: Closings = { ...closings, hour, after };
		if (hour === closings.hour && after === closings.after) return null;
		const runs = new Map(
			units.map(({ version, run }) => [
				runKeyOf({ version, run }),
				{ version, run },
			]),
		);
		const stored = new Map(
			(await this.log.runs(experiment, [...runs.values()])).map((run) => [
				runKeyOf(run),
				run.metrics,
			]),
		);
		return {
			next: { ...state, closings: closed, look: null },
			changes: {
				...NOTHING,
				sums: closeCohorts(
					units,
					(key) => stored.get(runKeyOf(key)) ?? [],
					closings,
					closed,
				),
			},
		};
	}
}

function rethrow(_: string, error: unknown): never {
	throw error;
}

const earlier = (a: string, b: string): string => (a < b ? a : b);
