import { contributionOf } from "#core/metrics";
import {
	ANY_PART,
	type Bookable,
	type CountedAs,
	countedAs,
	type EpochKey,
	sideOf,
} from "./bookable.js";
import type {
	BookingChanges,
	DegradedChange,
	DrawsChange,
	HourChange,
	RunKey,
	StoredRun,
	StoredUnit,
	UnitKey,
} from "./changes.js";
import type { Closings } from "./closings.js";
import { addDraw, type DrawSums } from "./draws.js";
import { HeldRuns } from "./held-runs.js";
import { type Counted, HeldUnits } from "./held-units.js";
import { bookedIn, epochOf, runKeyOf, unitKeyOf, unitOf } from "./keys.js";
import { bookScore, type ScoreBlock, unbookScore } from "./scores.js";
import type { Side } from "./slice.js";
import { hourOf } from "./unit-entry.js";

/** A decision that is booked already, and how it is in the scores. */
export interface Booked {
	readonly bookable: Bookable;
	/** It is in no score, and never will be. */
	readonly isUnbooked: boolean;
	/** The block that its score, if it taught, was weighted in; null where its group had none yet. */
	readonly block: ScoreBlock | null;
}

/** A decision below the watermark that the log has changed: as it was counted, null where it was not there, and as it is now. */
export interface Correction {
	readonly before: Booked | null;
	readonly after: Bookable;
}

/**
 * One step of booking: takes decisions, says what changes. What is stored of the units and runs concerned is handed in, and nothing of it
 * is changed.
 */
export class BookingStep {
	readonly #units: HeldUnits;
	readonly #runs: HeldRuns;
	readonly #hours = new Map<string, Mutable<HourChange>>();
	readonly #draws = new Map<string, EpochDraws>();
	readonly #degraded = new Map<string, Mutable<DegradedChange>>();
	readonly #blocks: (RunKey & ScoreBlock)[] = [];
	readonly #unbooked: string[] = [];
	/** What the decisions of this step were counted as before it. */
	readonly #before = new Map<string, Counted | null>();
	#decisions = 0;

	constructor(
		units: readonly StoredUnit[],
		runs: readonly StoredRun[],
		private readonly closings: Closings,
	) {
		this.#units = new HeldUnits(units);
		this.#runs = new HeldRuns(runs);
	}

	/** Books the next decision, in the order of ids. */
	book(bookable: Bookable): void {
		const counted = this.#counted(bookable);
		this.#before.set(bookable.row.id, null);
		this.#count(counted, 1);
		const unit = unitOf(bookable);
		if (unit === null) return;
		this.#units.extendSession(unit, counted);
		const { exposed, reward } = counted.contribution;
		if (exposed === 0) return;
		const begun = bookScore(
			this.#runs.scoresOf(unit),
			bookable,
			sideOf(bookable.row) as Side,
			reward,
		);
		if (begun !== null)
			this.#blocks.push({ version: unit.version, run: unit.run, ...begun });
	}

	/** Counts a booked decision as the log has it now. Its score goes for good where it came or changed only now. */
	correct({ before, after }: Correction): void {
		const now = this.#counted(after);
		const was = before === null ? null : this.#counted(before.bookable);
		if (was !== null && isSame(was, now)) return;
		this.#before.set(after.row.id, was);
		// In this order: a unit of one decision would else be forgotten in between.
		this.#count(now, 1);
		if (was !== null) this.#count(was, -1);
		const unit = unitOf(after);
		if (unit === null) return;
		this.#units.remakeSession(unit, after);
		if (was !== null && isWorthTheSame(was, now)) return;
		if (before?.isUnbooked) return;
		if (before !== null) this.#takeScore(before);
		this.#unbooked.push(after.row.id);
	}

	/** Takes a decision out of all that is counted but its unit, which `forgetUnits` takes out whole. */
	forget(booked: Booked): void {
		const counted = this.#counted(booked.bookable);
		this.#countApart(counted, -1);
		if (unitOf(booked.bookable) !== null) this.#takeScore(booked);
	}

	/** Takes the units that were handed in out of all sums. */
	forgetUnits(): void {
		this.#units.drop();
	}

	/** Units of which the log must tell all decisions that are counted after the step, before `changes` is right. */
	get toRemake(): readonly UnitKey[] {
		return this.#units.toRemake;
	}

	/** @param all those decisions; of the same units' others, in other epochs and runs, nothing is known here */
	remake(all: readonly Bookable[]): void {
		const wanted = new Set(this.toRemake.map(unitKeyOf));
		const own = all.filter((bookable) => {
			const unit = unitOf(bookable);
			return unit !== null && wanted.has(unitKeyOf(unit));
		});
		this.#units.remake(
			own.map((bookable) => this.#counted(bookable)),
			(one) => {
				const was = this.#before.get(one.bookable.row.id);
				return was === undefined ? one : was;
			},
		);
	}

	changes(): BookingChanges {
		const { units, sums } = this.#units.changes(
			(key) => this.#runs.metricsOf(key),
			this.closings,
		);
		return {
			units,
			sums,
			hours: [...this.#hours.values()],
			draws: [...this.#draws.values()].flatMap(drawsOf),
			degraded: [...this.#degraded.values()],
			runs: this.#runs.changes,
			blocks: this.#blocks,
			unbooked: this.#unbooked,
			decisions: this.#decisions,
		};
	}

	#counted(bookable: Bookable): Counted {
		const { definition, row, outcomes } = bookable;
		const contribution = this.#runs.inColumns(
			definition,
			contributionOf(definition.experiment, row, outcomes),
		);
		return {
			bookable,
			contribution:
				row.id > this.closings.visitsSince
					? contribution
					: { ...contribution, visits: null },
		};
	}

	#count(counted: Counted, sign: 1 | -1): void {
		this.#countApart(counted, sign);
		const unit = unitOf(counted.bookable);
		if (unit !== null) this.#units.count(unit, counted, sign);
	}

	#countApart({ bookable, contribution }: Counted, sign: 1 | -1): void {
		const { row, definition } = bookable;
		this.#decisions += sign;
		const hour = this.#hourOf(bookable, countedAs(row));
		hour.decisions += sign;
		hour.shown += contribution.shown ? sign : 0;
		hour.learned += sign * contribution.exposed;
		hour.reward += sign * Math.round(4096 * contribution.reward);
		if (row.degraded.length > 0 && row.group !== "outside")
			for (const part of new Set([ANY_PART, ...row.degraded]))
				this.#degradedOf(definition, part).decisions += sign;
		if (unitOf(bookable) === null) return;
		const group = sideOf(row) as Side;
		const key = { ...bookedIn(definition), group };
		const name = `${epochOf(key)} ${group}`;
		let draws = this.#draws.get(name);
		if (draws === undefined) {
			draws = { key, sums: new Map() };
			this.#draws.set(name, draws);
		}
		addDraw(draws.sums, row, definition.experiment.arms, sign);
	}

	#hourOf(
		{ row: { id, arm }, definition }: Bookable,
		group: CountedAs,
	): Mutable<HourChange> {
		const key = bookedIn(definition);
		const hour = hourOf(id);
		const name = `${epochOf(key)} ${hour} ${group} ${arm}`;
		let change = this.#hours.get(name);
		if (change === undefined) {
			const nothing = { decisions: 0, shown: 0, learned: 0, reward: 0 };
			change = { ...key, hour, group, arm, ...nothing };
			this.#hours.set(name, change);
		}
		return change;
	}

	#degradedOf(
		definition: Bookable["definition"],
		part: string,
	): Mutable<DegradedChange> {
		const { version, run } = bookedIn(definition);
		const name = `${runKeyOf({ version, run })} ${part}`;
		let change = this.#degraded.get(name);
		if (change === undefined) {
			change = { version, run, part, decisions: 0 };
			this.#degraded.set(name, change);
		}
		return change;
	}

	#takeScore({ bookable, isUnbooked, block }: Booked): void {
		if (isUnbooked || block === null) return;
		const { exposed, reward } = this.#counted(bookable).contribution;
		const { row, definition } = bookable;
		if (exposed === 0) return;
		unbookScore(
			this.#runs.scoresOf(bookedIn(definition)),
			bookable,
			sideOf(row) as Side,
			reward,
			block,
		);
	}
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface EpochDraws {
	readonly key: EpochKey & { readonly group: Side };
	readonly sums: Map<string, DrawSums>;
}

const drawsOf = ({ key, sums }: EpochDraws): DrawsChange[] =>
	[...sums].map(([arm, own]) => ({ ...key, arm, ...own }));

/** Whether exposure and reward are the same, of which scores are made. */
function isWorthTheSame(
	{ contribution: a }: Counted,
	{ contribution: b }: Counted,
): boolean {
	return a.exposed === b.exposed && a.reward === b.reward;
}

function isSame(was: Counted, now: Counted): boolean {
	const [a, b] = [was.contribution, now.contribution];
	return (
		isWorthTheSame(was, now) &&
		a.shown === b.shown &&
		a.until === b.until &&
		a.columns.every((value, i) => value === b.columns[i]) &&
		a.visits?.length === b.visits?.length &&
		(a.visits ?? []).every((hour, i) => hour === b.visits?.[i])
	);
}
