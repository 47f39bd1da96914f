import { timeOfId } from "#core/log";
import {
	type Contribution,
	columnOf,
	DECISIONS,
	RETURN_HOURS,
	STEPS,
} from "#core/metrics";
import { type Bookable, covariateOf, slicesOf } from "./bookable.js";
import { ALL, type Side, type Slice, WEEK1 } from "./slice.js";

const HOUR_MS = 3_600_000;
export const WEEK_HOURS = 7 * 24;
/** As far as anyone asks whether a unit came back. */
const LONGEST_HOURS = Math.max(...Object.values(RETURN_HOURS));
/** Sessions of a unit that are kept; beyond it only the latest half. */
const MOST_SESSIONS = 64;
const SESSION_LENGTH = columnOf("session_length");

/** First and last moment of a session, milliseconds: of its decisions, and of their events that stand. */
export type Span = readonly [from: number, to: number];

/** What a unit did in one epoch and group, as far as it is booked. All numbers are whole. */
export interface GroupEntry {
	/** Its first decision: the smallest id. */
	first: string;
	/** Its latest so far: the largest id. */
	last: string;
	/** The covariate as that decision had it, in steps of the grid. */
	x: number | null;
	/** Decisions by hour since 1970, up to 28 days from the first. */
	hours: { [hour: string]: number };
	/** By slice, n and C of each metric one after the other. */
	slices: { [slice: Slice]: number[] };
	sessions: [session: string, from: number, to: number][];
	/** Sessions are missing from the list. */
	pruned?: true;
}

export type UnitEntry = { [side in Side]?: GroupEntry };

export const hourOf = (id: string): number =>
	Math.floor(timeOfId(id) / HOUR_MS);

export function emptyEntry(first: string): GroupEntry {
	return { first, last: first, x: null, hours: {}, slices: {}, sessions: [] };
}

/**
 * Adds a decision to what its unit did, or takes it away. All but `first` are sums, so order does not matter; `first` only ever moves to
 * a smaller id. Returns whether it took the unit's first week to other hours: then the week is to be made anew (`remakeWeek`).
 */
export function addToEntry(
	entry: GroupEntry,
	bookable: Bookable,
	{ columns }: Contribution,
	sign: 1 | -1,
): boolean {
	const { id } = bookable.row;
	const isNew = !(ALL in entry.slices);
	const before = hourOf(entry.first);
	if (sign === 1 && (isNew || id < entry.first)) {
		entry.first = id;
		entry.x = covariateOf(bookable);
	}
	if (id > entry.last) entry.last = id;
	const hour = hourOf(id);
	const first = hourOf(entry.first);
	if (first < before) dropHoursFrom(entry, first + LONGEST_HOURS);
	if (hour < first + LONGEST_HOURS) {
		const count = (entry.hours[hour] ?? 0) + sign;
		if (count === 0) delete entry.hours[hour];
		else entry.hours[hour] = count;
	}
	for (const slice of slicesOf(bookable))
		addColumns(entry, slice, columns, sign);
	if (hour < first + WEEK_HOURS) addColumns(entry, WEEK1, columns, sign);
	return !isNew && first < before;
}

/** The first week from all decisions of the unit that are booked and still in the log. */
export function remakeWeek(
	entry: GroupEntry,
	decisions: readonly {
		readonly id: string;
		readonly contribution: Contribution;
	}[],
): void {
	delete entry.slices[WEEK1];
	const end = hourOf(entry.first) + WEEK_HOURS;
	for (const { id, contribution } of decisions)
		if (hourOf(id) < end) addColumns(entry, WEEK1, contribution.columns, 1);
}

/** The span of a session that is kept; undefined where it is not, or there is none. */
export function sessionOf(
	{ sessions }: GroupEntry,
	name: string,
): Span | undefined {
	const kept = sessions.find(([one]) => one === name);
	return kept && [kept[1], kept[2]];
}

/** Puts a session's span in the place of what it was, in the list and in the sums. */
export function putSession(
	entry: GroupEntry,
	name: string,
	before: Span | null,
	after: Span | null,
): void {
	const sums = entry.slices[ALL];
	if (sums !== undefined)
		for (const [span, sign] of [
			[before, -1],
			[after, 1],
		] as const)
			if (span !== null) {
				sums[SESSION_LENGTH] = (sums[SESSION_LENGTH] ?? 0) + sign;
				sums[SESSION_LENGTH + 1] =
					(sums[SESSION_LENGTH + 1] ?? 0) + sign * lengthOf(span);
			}
	entry.sessions = entry.sessions.filter(([one]) => one !== name);
	if (after !== null) entry.sessions.push([name, ...after]);
	if (entry.sessions.length > MOST_SESSIONS) {
		entry.sessions.sort((a, b) => b[2] - a[2] || (a[0] < b[0] ? -1 : 1));
		entry.sessions.length = MOST_SESSIONS / 2;
		entry.pruned = true;
	}
}

export function joined(a: Span | null, b: Span): Span {
	return a === null ? b : [Math.min(a[0], b[0]), Math.max(a[1], b[1])];
}

/** Seconds in steps of the grid. */
const lengthOf = ([from, to]: Span): number =>
	Math.round((STEPS * (to - from)) / 1_000);

function dropHoursFrom({ hours }: GroupEntry, end: number): void {
	for (const hour of Object.keys(hours))
		if (Number(hour) >= end) delete hours[hour];
}

function addColumns(
	{ slices }: GroupEntry,
	slice: Slice,
	columns: Float64Array,
	sign: 1 | -1,
): void {
	let own = slices[slice];
	if (own === undefined) {
		own = new Array<number>(columns.length).fill(0);
		slices[slice] = own;
	}
	for (let i = 0; i < columns.length; i++)
		own[i] = (own[i] ?? 0) + sign * (columns[i] as number);
	if (own[DECISIONS] === 0) delete slices[slice];
}
