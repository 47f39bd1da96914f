import { type Contribution, type Metric } from "#core/metrics";
import { type Bookable, sideOf } from "./bookable.js";
import type { StoredUnit, UnitKey } from "./changes.js";
import { type Closings, isClosed, ranThrough } from "./closings.js";
import { epochOf, unitKeyOf, unitOf } from "./keys.js";
import { findNamed } from "./named.js";
import { ALL, type Side } from "./slice.js";
import {
	addToEntry,
	emptyEntry,
	hourOf,
	joined,
	putSession,
	remakeWeek,
	type Span,
	sessionOf,
	type UnitEntry,
} from "./unit-entry.js";
import { type Cohorts, type SumsChange, UnitSums } from "./unit-sums.js";

/** A decision with what it counts for. */
export interface Counted {
	readonly bookable: Bookable;
	readonly contribution: Contribution;
}

interface Held {
	readonly key: UnitKey;
	readonly stored: StoredUnit | null;
	readonly entry: UnitEntry;
	/** What only the log can tell anew, by group. */
	readonly again: Map<Side, Again>;
}

interface Again {
	week: boolean;
	readonly sessions: Set<string>;
}

/** The units of one step: what they did before it, and what they have done after it. */
export class HeldUnits {
	readonly #stored: ReadonlyMap<string, StoredUnit>;
	readonly #held = new Map<string, Held>();

	constructor(stored: readonly StoredUnit[]) {
		this.#stored = new Map(stored.map((unit) => [unitKeyOf(unit), unit]));
	}

	/** Adds a decision to its unit, or takes it away. Its session, if it has one, is not touched. */
	count(key: UnitKey, { bookable, contribution }: Counted, sign: 1 | -1): void {
		const held = this.#hold(key);
		const side = sideOf(bookable.row) as Side;
		let group = held.entry[side];
		if (group === undefined) {
			group = emptyEntry(bookable.row.id);
			held.entry[side] = group;
		}
		if (addToEntry(group, bookable, contribution, sign))
			againOf(held, side).week = true;
		if (findNamed(group.slices, ALL) === undefined) delete held.entry[side];
	}

	/** Lengthens the session of a decision that was not counted before, or leaves it to be made again where it is not in the list. */
	extendSession(key: UnitKey, { bookable, contribution }: Counted): void {
		const { session, decidedAt } = bookable.row;
		const side = sideOf(bookable.row) as Side;
		const held = this.#hold(key);
		const group = held.entry[side];
		if (session === null || group === undefined) return;
		const known = sessionOf(group, session);
		if (
			(known === undefined && group.pruned) ||
			held.again.get(side)?.sessions.has(session)
		) {
			againOf(held, side).sessions.add(session);
			return;
		}
		const before = known ?? null;
		putSession(
			group,
			session,
			before,
			joined(before, [decidedAt, contribution.until]),
		);
	}

	/** Has the session of a decision that was counted otherwise before made again. */
	remakeSession(key: UnitKey, { row }: Bookable): void {
		if (row.session !== null)
			againOf(this.#hold(key), sideOf(row) as Side).sessions.add(row.session);
	}

	/** Units of which the log must tell all decisions. */
	get toRemake(): readonly UnitKey[] {
		return [...this.#held.values()]
			.filter(({ again }) => again.size > 0)
			.map(({ key }) => key);
	}

	/**
	 * @param all every decision of those units that is counted now
	 * @param before the same as it was counted before the step; null where it was not
	 */
	remake(
		all: readonly Counted[],
		before: (one: Counted) => Counted | null,
	): void {
		const byUnit = new Map<string, Counted[]>();
		for (const one of all) {
			const unit = unitOf(one.bookable);
			if (unit === null) continue;
			const key = unitKeyOf(unit);
			const list = byUnit.get(key);
			if (list) list.push(one);
			else byUnit.set(key, [one]);
		}
		for (const [key, { entry, again }] of this.#held)
			for (const [side, { week, sessions }] of again) {
				const group = entry[side];
				if (group === undefined) continue;
				const own = (byUnit.get(key) ?? []).filter(
					({ bookable }) => sideOf(bookable.row) === side,
				);
				if (week)
					remakeWeek(
						group,
						own.map(({ bookable, contribution }) => ({
							id: bookable.row.id,
							contribution,
						})),
					);
				for (const session of sessions) {
					const its = own.filter(
						({ bookable }) => bookable.row.session === session,
					);
					const were = its.flatMap((one) => before(one) ?? []);
					putSession(group, session, spanOf(were), spanOf(its));
				}
			}
	}

	/** Forgets all that the units did. */
	drop(): void {
		for (const stored of this.#stored.values()) {
			const { entry } = this.#hold(stored);
			delete entry.policy;
			delete entry.control;
		}
	}

	/** Units as they are now, and what that changes of the sums of their epochs. */
	changes(
		metricsOf: (key: UnitKey) => readonly Metric[],
		closings: Closings,
	): {
		readonly units: readonly StoredUnit[];
		readonly sums: readonly (UnitKey & SumsChange)[];
	} {
		const epochs = new Map<string, { key: UnitKey; sums: UnitSums }>();
		const units: StoredUnit[] = [];
		for (const { key, stored, entry } of this.#held.values()) {
			const name = epochOf(key);
			let epoch = epochs.get(name);
			if (epoch === undefined) {
				epoch = { key, sums: new UnitSums(metricsOf(key)) };
				epochs.set(name, epoch);
			}
			const id = stored?.id ?? null;
			const before = stored?.entry ?? {};
			epoch.sums.move(
				before,
				entry,
				cohortsOf({ ...key, id, entry: before }, closings),
				cohortsOf({ ...key, id, entry }, closings),
			);
			units.push({ ...key, id, entry });
		}
		return {
			units,
			sums: [...epochs.values()].flatMap(({ key, sums }) =>
				sums.changes().map((change) => ({ ...key, ...change })),
			),
		};
	}

	#hold(key: UnitKey): Held {
		const name = unitKeyOf(key);
		const known = this.#held.get(name);
		if (known !== undefined) return known;
		const stored = this.#stored.get(name) ?? null;
		const { version, run, epoch, unit } = key;
		const held = {
			key: { version, run, epoch, unit },
			stored,
			entry: copyOf(stored?.entry ?? {}),
			again: new Map<Side, Again>(),
		};
		this.#held.set(name, held);
		return held;
	}
}

/** Those of a unit, all of which begin with its first decision, in the later of its groups. */
export function cohortsOf(unit: StoredUnit, closings: Closings): Cohorts {
	const first = firstHourOf(unit.entry);
	const epoch = epochOf(unit);
	const isUntold = Object.values(unit.entry).some(
		(group) => group.first <= closings.visitsSince,
	);
	return {
		isClosed: (hours, of) =>
			!(of === "return" && isUntold) &&
			isClosed(closings, epoch, first + hours, unit.id),
		tellsReturn: (hour) => ranThrough(closings, epoch, hour),
	};
}

/** Hours since 1970 from which a unit's cohorts count; 0 for one that did nothing. */
export function firstHourOf(entry: UnitEntry): number {
	const { policy, control } = entry;
	return Math.max(
		policy === undefined ? 0 : hourOf(policy.first),
		control === undefined ? 0 : hourOf(control.first),
	);
}

function againOf({ again }: Held, side: Side): Again {
	let own = again.get(side);
	if (own === undefined) {
		own = { week: false, sessions: new Set() };
		again.set(side, own);
	}
	return own;
}

function spanOf(counted: readonly Counted[]): Span | null {
	return counted.reduce<Span | null>(
		(span, { bookable, contribution }) =>
			joined(span, [bookable.row.decidedAt, contribution.until]),
		null,
	);
}

function copyOf({ policy, control }: UnitEntry): UnitEntry {
	const copy: UnitEntry = {};
	if (policy !== undefined) copy.policy = { ...policy };
	if (control !== undefined) copy.control = { ...control };
	return copy;
}
