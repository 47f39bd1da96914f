import {
	type Bookable,
	type BookedUpTo,
	type BookingChanges,
	BookingStep,
	type Correction,
	type EpochKey,
	epochOf,
	firstHourOf,
	type RunKey,
	runKeyOf,
	type ScoreBlock,
	type StoredRun,
	type StoredUnit,
	type SumsChange,
	sideOf,
	type Turn,
	type UnitKey,
	unitKeyOf,
} from "#core/booking";
import type { Definition } from "#core/experiment";
import { type DecisionRow, type Event, uuidAtTime } from "#core/log";
import type {
	BookedNext,
	BookingLog,
	BookingState,
	LogPart,
} from "../src/index.js";

interface LoggedDecision {
	readonly row: DecisionRow;
	readonly definition: Definition;
	readonly revision: number;
}
interface LoggedEvent {
	readonly event: Event;
	/** Null: it came before its decision, in a batch that took no revision. */
	readonly revision: number | null;
}

/** Fails a commit after or before it was stored, as a kill does. */
export type Fate = "stores" | "dies before" | "dies after" | "loses the race";

/** The log of one experiment and its rollups, in memory. */
export class MemoryBookingLog implements BookingLog {
	decisions = new Map<string, LoggedDecision>();
	events = new Map<string, LoggedEvent>();
	revision = 0;
	/** What becomes of the next commits, in turn. */
	fates: Fate[] = [];
	state: BookingState | null = null;
	visitsSince = uuidAtTime(0);
	holdsSince = 0;
	/** What became of the experiment. */
	turns: Turn[] = [];
	readonly storedUnits = new Map<string, StoredUnit>();
	readonly storedRuns = new Map<string, StoredRun>();
	readonly sums = new Map<
		string,
		{ units: number; moments: bigint[]; covariate: bigint[] }
	>();
	readonly hours = new Map<string, number[]>();
	readonly draws = new Map<string, number[]>();
	readonly degraded = new Map<string, number[]>();
	readonly blocks: (RunKey & ScoreBlock)[] = [];
	readonly unbooked = new Set<string>();
	decisionsBooked = 0;
	#units = 0;

	constructor(
		readonly experiment: string,
		/** Before all decisions, milliseconds. */
		private readonly startsAt: number,
		private readonly revisionsAtOnce = 3,
	) {}

	/** A batch: its revision is the next, unless it has only events whose decisions are not there. */
	learn(
		decisions: readonly { row: DecisionRow; definition: Definition }[],
		events: readonly Event[],
	): void {
		const fresh = decisions.filter(({ row }) => !this.decisions.has(row.id));
		const known = (event: Event) =>
			this.decisions.has(event.decisionId as string) ||
			fresh.some(({ row }) => row.id === event.decisionId);
		const added = events.filter(
			({ decisionId, id }) => !this.events.has(`${decisionId}/${id}`),
		);
		const takes = fresh.length > 0 || added.some(known);
		if (takes) this.revision += 1;
		for (const one of fresh)
			this.decisions.set(one.row.id, { ...one, revision: this.revision });
		for (const event of added)
			this.events.set(`${event.decisionId}/${event.id}`, {
				event,
				revision: takes ? this.revision : null,
			});
	}

	erase(unit: string): void {
		const { state } = this;
		if (state !== null) {
			const stored = [...this.storedUnits.values()].filter(
				(one) => one.unit === unit,
			);
			const own = this.#asOf(state).filter(({ row }) => row.unit === unit);
			const step = new BookingStep(
				stored,
				[...this.storedRuns.values()],
				state.closings,
			);
			for (const bookable of own)
				step.forget({
					bookable,
					isUnbooked: this.unbooked.has(bookable.row.id),
					block: this.blockOf(bookable),
				});
			step.forgetUnits();
			this.#store(step.changes());
			this.state = { ...state, erasures: state.erasures + 1 };
			for (const { row } of own) this.unbooked.delete(row.id);
		}
		for (const [id, { row }] of this.decisions)
			if (row.unit === unit) {
				this.decisions.delete(id);
				for (const [key, { event }] of this.events)
					if (event.decisionId === id) this.events.delete(key);
			}
		this.revision += 1;
	}

	async behind() {
		return [this.experiment];
	}

	async claim(): Promise<BookingState> {
		this.state ??= {
			experiment: this.experiment,
			cursor: uuidAtTime(this.startsAt),
			revision: 0,
			closings: {
				hour: Math.floor(this.startsAt / 3_600_000),
				after: null,
				turns: this.turns,
				turnsSince: 0,
				visitsSince: this.visitsSince,
				holdsSince: this.holdsSince,
			},
			newestId: uuidAtTime(this.startsAt),
			erasures: 0,
		};
		return this.state;
	}

	async newest() {
		return {
			revision: this.revision,
			newestId:
				[...this.decisions.keys()].sort().at(-1) ?? uuidAtTime(this.startsAt),
		};
	}

	async part(state: BookingState): Promise<LogPart | null> {
		if (state.revision === this.revision) return null;
		const to = Math.min(this.revision, state.revision + this.revisionsAtOnce);
		const isIn = (revision: number | null) =>
			revision !== null && revision > state.revision && revision <= to;
		const touched = new Set<string>();
		for (const { row, revision } of this.decisions.values())
			if (isIn(revision)) touched.add(row.id);
		const stored = [...touched].sort();
		for (const { event, revision } of this.events.values())
			if (isIn(revision) && this.decisions.has(event.decisionId as string))
				touched.add(event.decisionId as string);
		const corrections: Correction[] = [];
		for (const id of [...touched].sort())
			if (id <= state.cursor) {
				const before = this.#bookable(id, state.revision);
				corrections.push({
					before:
						before === null
							? null
							: {
									bookable: before,
									isUnbooked: this.unbooked.has(id),
									block: this.blockOf(before),
								},
					after: this.#bookable(id, to) as Bookable,
				});
			}
		return {
			to,
			corrections: corrections.filter(({ after }) => after !== null),
			newestId: stored.at(-1) ?? null,
		};
	}

	async page(state: BookingState, upTo: string, most: number) {
		return [...this.decisions.keys()]
			.sort()
			.filter((id) => id > state.cursor && id <= upTo)
			.flatMap((id) => this.#bookable(id, state.revision) ?? [])
			.slice(0, most);
	}

	async decisionsOf(
		_: string,
		units: readonly UnitKey[],
		upTo: Pick<BookedUpTo, "cursor" | "revision">,
	) {
		const wanted = new Set(units.map(({ unit }) => unit));
		return this.#asOf(upTo).filter(({ row }) => wanted.has(row.unit));
	}

	async units(_: string, keys: readonly UnitKey[]) {
		return keys.flatMap((key) => this.storedUnits.get(unitKeyOf(key)) ?? []);
	}

	async runs(_: string, keys: readonly RunKey[]) {
		return keys.flatMap((key) => this.storedRuns.get(runKeyOf(key)) ?? []);
	}

	async unitsOfHours(
		_: string,
		hours: readonly number[],
		after: number | null,
		most: number,
	) {
		return [...this.storedUnits.values()]
			.filter(
				({ id, entry }) =>
					hours.includes(firstHourOf(entry)) && (id as number) > (after ?? 0),
			)
			.sort((a, b) => (a.id as number) - (b.id as number))
			.slice(0, most);
	}

	async commit(
		state: BookingState,
		{ cursor, revision, closings, newestId }: BookedNext,
		changes: BookingChanges,
	): Promise<boolean> {
		const fate = this.fates.shift() ?? "stores";
		if (fate === "loses the race") return false;
		if (fate === "dies before") throw new Error("killed before the commit");
		const now = this.state as BookingState;
		if (
			now.cursor !== state.cursor ||
			now.revision !== state.revision ||
			now.erasures !== state.erasures
		)
			return false;
		this.state = { ...now, cursor, revision, closings, newestId };
		this.#store(changes);
		if (fate === "dies after") throw new Error("killed after the commit");
		return true;
	}

	#store(changes: BookingChanges): void {
		// As a database gives it back: nothing of it is shared with what was handed in.
		for (const unit of changes.units) {
			const name = unitKeyOf(unit);
			if (Object.keys(unit.entry).length === 0) this.storedUnits.delete(name);
			else {
				this.#units += 1;
				this.storedUnits.set(name, {
					...unit,
					id: unit.id ?? this.#units,
					entry: JSON.parse(JSON.stringify(unit.entry)),
				});
			}
		}
		for (const change of changes.sums) this.#addSums(change);
		for (const change of changes.hours)
			add(
				this.hours,
				`${epochOf(change)} ${change.hour} ${change.group} ${change.arm}`,
				[change.decisions, change.shown, change.learned, change.reward],
			);
		for (const change of changes.draws)
			add(this.draws, `${epochOf(change)} ${change.group} ${change.arm}`, [
				change.eligible,
				change.drawn,
				change.expected,
				change.variance,
			]);
		for (const change of changes.degraded)
			add(this.degraded, `${runKeyOf(change)} ${change.part}`, [
				change.decisions,
			]);
		for (const run of changes.runs) this.storedRuns.set(runKeyOf(run), run);
		this.blocks.push(...changes.blocks);
		for (const id of changes.unbooked) this.unbooked.add(id);
		this.decisionsBooked += changes.decisions;
	}

	#addSums(change: EpochKey & SumsChange): void {
		const name = `${epochOf(change)} ${change.side} ${change.slice}`;
		const own = this.sums.get(name) ?? { units: 0, moments: [], covariate: [] };
		const plus = (a: readonly bigint[], b: readonly bigint[]) =>
			Array.from(
				{ length: Math.max(a.length, b.length) },
				(_, i) => (a[i] ?? 0n) + (b[i] ?? 0n),
			);
		const sums = {
			units: own.units + change.units,
			moments: plus(own.moments, change.moments),
			covariate: plus(own.covariate, change.covariate),
		};
		if (
			sums.units === 0 &&
			[...sums.moments, ...sums.covariate].every((v) => v === 0n)
		)
			this.sums.delete(name);
		else this.sums.set(name, sums);
	}

	/** All decisions that are booked, as they are counted. */
	booked(): readonly Bookable[] {
		return this.state === null ? [] : this.#asOf(this.state);
	}

	#asOf({ cursor, revision }: Pick<BookedUpTo, "cursor" | "revision">) {
		return [...this.decisions.keys()]
			.sort()
			.filter((id) => id <= cursor)
			.flatMap((id) => this.#bookable(id, revision) ?? []);
	}

	#bookable(id: string, revision: number): Bookable | null {
		const decision = this.decisions.get(id);
		if (decision === undefined || decision.revision > revision) return null;
		const outcomes = [...this.events.values()]
			.filter(
				(one) =>
					one.event.decisionId === id &&
					(one.revision === null || one.revision <= revision),
			)
			.map(({ event }) => event);
		return { row: decision.row, definition: decision.definition, outcomes };
	}

	blockOf({ row, definition }: Bookable): ScoreBlock | null {
		return (
			this.blocks
				.filter(
					(block) =>
						block.run === definition.bookedRun &&
						block.version === definition.version &&
						block.side === sideOf(row) &&
						block.firstId <= row.id,
				)
				.sort((a, b) => (a.firstId < b.firstId ? 1 : -1))[0] ?? null
		);
	}
}

function add(
	sums: Map<string, number[]>,
	name: string,
	values: readonly number[],
): void {
	const own = sums.get(name) ?? values.map(() => 0);
	const now = own.map((value, i) => value + (values[i] as number));
	if (now.every((value) => value === 0)) sums.delete(name);
	else sums.set(name, now);
}
