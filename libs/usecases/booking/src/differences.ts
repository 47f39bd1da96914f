import {
	COVARIATE_EACH,
	COVARIATE_HEAD,
	type GroupEntry,
	MOMENTS,
	type StoredUnit,
	unpack,
} from "#core/booking";
import type { Metric } from "#core/metrics";

const LONGEST = 120;
const NOTHING = "nothing";
const SLICE = " slice ";

const COUNTS: { readonly [kind: string]: readonly string[] } = {
	hour: ["decisions", "shown", "learned", "reward"],
	day: ["decisions", "shown", "learned", "reward"],
	draws: ["eligible", "drawn", "expected", "variance"],
	degraded: ["decisions"],
};
const OF_UNITS = ["units", "Σn", "ΣC", "Σn²", "ΣnC", "ΣC²"];
const OF_COVARIATE = ["units", "Σx", "Σx²"];
const WITH_COVARIATE = ["Σn", "ΣC", "Σxn", "ΣxC"];

const isStored = (what: string, stored: unknown, counted: unknown): string =>
	`${what}: ${cut(stored)} is stored, ${cut(counted)} counted`;

function cut(value: unknown): string {
	const text = String(value);
	return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}

/**
 * The first number of a rollup that is stored otherwise than it is counted, with both, and how many more there are; null where none is.
 * Zeros at the end may be missing.
 * @param name as `countsOf` has it
 * @param metrics of the rollup's run
 */
export function rollupDifference(
	name: string,
	stored: readonly bigint[],
	counted: readonly bigint[],
	metrics: readonly Metric[],
): string | null {
	const length = Math.max(stored.length, counted.length);
	const places = Array.from({ length }, (_, i) => i).filter(
		(i) => (stored[i] ?? 0n) !== (counted[i] ?? 0n),
	);
	const [first] = places;
	if (first === undefined) return null;
	const of = `${name}: ${numberOf(name, first, metrics)}`;
	const more = places.length > 1 ? `, and ${places.length - 1} more` : "";
	return `${isStored(of, stored[first] ?? 0n, counted[first] ?? 0n)}${more}`;
}

/** What the number at a place of a rollup is. */
function numberOf(
	name: string,
	place: number,
	metrics: readonly Metric[],
): string {
	const [kind = ""] = name.split(" ", 1);
	const counts = COUNTS[kind];
	if (counts !== undefined) return counts[place] ?? "";
	const isCovariate = name.endsWith(" covariate");
	const head = isCovariate ? COVARIATE_HEAD : 1;
	if (place < head) return OF_COVARIATE[place] ?? "";
	const each = isCovariate ? COVARIATE_EACH : MOMENTS;
	const words = isCovariate ? WITH_COVARIATE : OF_UNITS;
	const metric = metrics[Math.floor((place - head) / each)]?.name;
	return `${words[(place - head) % each]} of ${metric ?? "no metric"}`;
}

/** The first part of a unit's row that is stored otherwise than it is counted, with both; null where none is. */
export function unitDifference(
	stored: StoredUnit["entry"],
	counted: StoredUnit["entry"],
	metrics: readonly Metric[],
): string | null {
	const [a, b] = [partsOf(stored), partsOf(counted)];
	for (const part of new Set([...a.keys(), ...b.keys()])) {
		const [was, is] = [a.get(part), b.get(part)];
		if (was === is) continue;
		return was === undefined || is === undefined || !part.includes(SLICE)
			? isStored(part, was ?? NOTHING, is ?? NOTHING)
			: columnDifference(part, was.split(","), is.split(","), metrics);
	}
	return null;
}

/** Of the n and C of each metric, one after the other. */
function columnDifference(
	part: string,
	stored: readonly string[],
	counted: readonly string[],
	metrics: readonly Metric[],
): string {
	const length = Math.max(stored.length, counted.length);
	const place = Array.from({ length }, (_, i) => i).find(
		(i) => (stored[i] ?? "0") !== (counted[i] ?? "0"),
	);
	const at = place ?? 0;
	const metric = metrics[Math.floor(at / 2)]?.name ?? "no metric";
	const what = `${part}: ${at % 2 === 0 ? "n" : "C"} of ${metric}`;
	return isStored(what, stored[at] ?? 0, counted[at] ?? 0);
}

/** In one spelling: what order things came in, and which sessions are remembered, says nothing. */
function partsOf(entry: StoredUnit["entry"]): ReadonlyMap<string, string> {
	return new Map(
		Object.entries(entry).flatMap(([side, group]) =>
			groupParts(group).map(
				([part, value]) => [`${side} ${part}`, value] as const,
			),
		),
	);
}

function groupParts({
	first,
	last,
	x,
	arm = NOTHING,
	hours,
	slices,
}: GroupEntry): (readonly [string, string])[] {
	return [
		["first", first],
		["last", last],
		["covariate", String(x)],
		["arm", arm],
		...pairsOf(unpack(hours)).map(
			([hour, count]) => [`hour ${hour}`, String(count)] as const,
		),
		...pairsOf(slices).map(
			([slice, columns]) =>
				[`slice ${slice}`, String(unpack(columns))] as const,
		),
	];
}

function pairsOf<Value>(list: readonly Value[]): (readonly [Value, Value])[] {
	return list.flatMap((name, i) =>
		i % 2 === 0 ? [[name, list[i + 1] as Value] as const] : [],
	);
}
