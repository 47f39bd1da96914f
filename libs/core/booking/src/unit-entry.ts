import { timeOfId } from "#core/log";
import {
	type Contribution,
	columnOf,
	DECISIONS,
	LONGEST_HOURS,
	STEPS,
} from "#core/metrics";
import { type Bookable, covariateOf, slicesOf } from "./bookable.js";
import {
	findNamed,
	type Named,
	NONE_NAMED,
	namesIn,
	withNamed,
} from "./named.js";
import { NOTHING_PACKED, type Packed, pack, unpack } from "./packed.js";
import { ALL, type Side, type Slice, WEEK1 } from "./slice.js";

const HOUR_MS = 3_600_000;
export const WEEK_HOURS = 7 * 24;
/** Sessions of a unit that are kept; beyond it only the latest half. */
const MOST_SESSIONS = 32;
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
	/** Hours since 1970 and, of each, the decisions and the visits while one stood; one after the other, up to 28 days from the first. */
	hours: Packed;
	/** By slice, n and C of each metric one after the other. */
	slices: Named;
	/** By session, when it began and how long it lasted, milliseconds. */
	sessions: Named;
	/** Sessions are missing from the list. */
	pruned?: true;
	/** Of its first decision, where that stands for the unit (`sticky: unit`): whose coming back this is. */
	arm?: string;
}

export type UnitEntry = { [side in Side]?: GroupEntry };

export const hourOf = (id: string): number =>
	Math.floor(timeOfId(id) / HOUR_MS);

export function emptyEntry(first: string): GroupEntry {
	return {
		first,
		last: first,
		x: null,
		hours: NOTHING_PACKED,
		slices: NONE_NAMED,
		sessions: NONE_NAMED,
	};
}

/**
 * Adds a decision to what its unit did, or takes it away. All but `first` are sums, so order does not matter; `first` only ever moves to
 * a smaller id. Returns whether it took the unit's first week to other hours: then the week is to be made anew (`remakeWeek`).
 */
export function addToEntry(
	entry: GroupEntry,
	bookable: Bookable,
	{ columns, visits }: Contribution,
	sign: 1 | -1,
): boolean {
	const { id } = bookable.row;
	const isNew = findNamed(entry.slices, ALL) === undefined;
	const before = hourOf(entry.first);
	if (sign === 1 && (isNew || id < entry.first)) {
		entry.first = id;
		entry.x = covariateOf(bookable);
		if (visits === null) delete entry.arm;
		else entry.arm = bookable.row.arm;
	}
	if (id > entry.last) entry.last = id;
	const hour = hourOf(id);
	const first = hourOf(entry.first);
	if (first < before) dropHoursFrom(entry, first + LONGEST_HOURS);
	for (const one of [hour, ...(visits ?? [])])
		if (one < first + LONGEST_HOURS)
			entry.hours = withHour(entry.hours, one, sign);
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
	entry.slices = withNamed(entry.slices, WEEK1, null);
	const end = hourOf(entry.first) + WEEK_HOURS;
	for (const { id, contribution } of decisions)
		if (hourOf(id) < end) addColumns(entry, WEEK1, contribution.columns, 1);
}

/** The span of a session that is kept; undefined where it is not, or there is none. */
export function sessionOf(
	{ sessions }: GroupEntry,
	name: string,
): Span | undefined {
	const packed = findNamed(sessions, name);
	return packed === undefined ? undefined : toSpan(packed);
}

/** Puts a session's span in the place of what it was, in the list and in the sums. */
export function putSession(
	entry: GroupEntry,
	name: string,
	before: Span | null,
	after: Span | null,
): void {
	const sums = findNamed(entry.slices, ALL);
	if (sums !== undefined) {
		const own = unpack(sums, SESSION_LENGTH + 2);
		addTo(own, sessionColumns(before, after), 1, SESSION_LENGTH);
		entry.slices = withNamed(entry.slices, ALL, pack(own));
	}
	entry.sessions = withNamed(
		entry.sessions,
		name,
		after === null ? null : pack([after[0], after[1] - after[0]]),
	);
	if (entry.sessions.length > 2 * MOST_SESSIONS) pruneSessions(entry);
}

function toSpan(packed: Packed): Span {
	const [from = 0, length = 0] = unpack(packed);
	return [from, from + length];
}

function pruneSessions(entry: GroupEntry): void {
	const latest = namesIn(entry.sessions)
		.map((name) => ({ name, end: (sessionOf(entry, name) as Span)[1] }))
		.sort((a, b) => b.end - a.end || (a.name < b.name ? -1 : 1))
		.slice(0, MOST_SESSIONS / 2);
	entry.sessions = latest.flatMap(({ name }) => [
		name,
		findNamed(entry.sessions, name) as Packed,
	]);
	entry.pruned = true;
}

/** What n and C of the session's length change by. */
const sessionColumns = (before: Span | null, after: Span | null) => [
	(after === null ? 0 : 1) - (before === null ? 0 : 1),
	(after === null ? 0 : lengthOf(after)) -
		(before === null ? 0 : lengthOf(before)),
];

export function joined(a: Span | null, b: Span): Span {
	return a === null ? b : [Math.min(a[0], b[0]), Math.max(a[1], b[1])];
}

/** Seconds in steps of the grid. */
const lengthOf = ([from, to]: Span): number =>
	Math.round((STEPS * (to - from)) / 1_000);

/** What happened in an hour, counted among those of the others. Most are of the last. */
function withHour(packed: Packed, hour: number, sign: 1 | -1): Packed {
	const hours = unpack(packed);
	for (let i = hours.length - 2; i >= 0; i -= 2)
		if (hours[i] === hour) {
			const count = (hours[i + 1] as number) + sign;
			if (count === 0) hours.splice(i, 2);
			else hours[i + 1] = count;
			return pack(hours);
		}
	hours.push(hour, sign);
	return pack(hours);
}

function dropHoursFrom(entry: GroupEntry, end: number): void {
	entry.hours = pack(
		unpack(entry.hours).filter(
			(_, i, hours) => (hours[i & ~1] as number) < end,
		),
	);
}

function addColumns(
	entry: GroupEntry,
	slice: Slice,
	columns: readonly number[],
	sign: 1 | -1,
): void {
	const own = unpack(
		findNamed(entry.slices, slice) ?? NOTHING_PACKED,
		columns.length,
	);
	addTo(own, columns, sign, 0);
	entry.slices = withNamed(
		entry.slices,
		slice,
		own[DECISIONS] === 0 ? null : pack(own),
	);
}

function addTo(
	own: number[],
	more: readonly number[],
	sign: 1 | -1,
	from: number,
): void {
	for (let i = 0; i < more.length; i++)
		own[from + i] = (own[from + i] as number) + sign * (more[i] as number);
}
