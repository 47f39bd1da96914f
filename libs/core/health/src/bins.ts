import {
	compileFeature,
	givenValue,
	hasValue,
	typeProblem,
} from "#core/context";
import type { Feature, JsonValue, ValueFeature } from "#core/experiment";
import { VALUES_A_BIN } from "./stability-index.js";

/** Bins of numbers at most: deciles. */
const MOST_QUANTILES = 10;
/** Levels with a bin of their own at most; rarer ones share one. */
const MOST_LEVELS = 19;
const HOURS = 24;

/**
 * How the values of one number of a feature are told apart. `edges`: ascending; bin i holds what is above edge i − 1 and at most edge i.
 * `levels`: one bin a level, then those of other declared levels, then those that are not declared. `flags`: true, false.
 */
export type Bins =
	| { readonly kind: "edges"; readonly edges: readonly number[] }
	| { readonly kind: "levels"; readonly levels: readonly string[] }
	| { readonly kind: "flags" };

export function binCount(bins: Bins): number {
	switch (bins.kind) {
		case "edges":
			return bins.edges.length + 1;
		case "levels":
			return bins.levels.length + 2;
		case "flags":
			return 2;
	}
}

/** How many numbers of a feature have bins: none where nothing of it can be told apart. */
export function binnedParts(feature: Feature): number {
	if (!hasValue(feature)) return 0;
	if (feature.kind === "vector") return feature.length;
	return isOpenText(feature) ? 0 : 1;
}

function isOpenText(feature: ValueFeature): boolean {
	return (
		feature.kind === "attribute" &&
		feature.type !== "number" &&
		feature.values.length === 0
	);
}

/** A feature's value out of a logged context, or undefined where it has none of its type. */
export function valueReader(
	feature: ValueFeature,
): (context: { readonly [name: string]: JsonValue }) => JsonValue | undefined {
	const compiled = compileFeature(feature);
	return (context) => {
		const value = givenValue(context, compiled) ?? null;
		return value === null || typeProblem(compiled, value) !== null
			? undefined
			: value;
	};
}

/** The bin of a value's part, which has the feature's type. */
export function binOf(
	feature: ValueFeature,
	bins: Bins,
	value: JsonValue,
	part: number,
): number {
	switch (bins.kind) {
		case "edges":
			return lowerBound(bins.edges, numberOf(feature, value, part));
		case "flags":
			return value === true ? 0 : 1;
		case "levels": {
			const own = bins.levels.indexOf(value as string);
			if (own >= 0) return own;
			const other = bins.levels.length;
			return isDeclared(feature, value as string) ? other : other + 1;
		}
	}
}

export function isDeclared(feature: ValueFeature, level: string): boolean {
	if (feature.kind === "category") return feature.levels.includes(level);
	return feature.kind === "attribute" && feature.values.includes(level);
}

/**
 * Bins for one part of a feature from its values at launch: deciles of numbers, the most frequent levels, true and false. Where launch has
 * few values there are fewer bins, 40 values for each beyond the first; null where not even two can be told apart.
 */
export function makeBins(
	feature: ValueFeature,
	values: readonly JsonValue[],
	part: number,
): Bins | null {
	const most = 1 + Math.floor(values.length / VALUES_A_BIN);
	if (most < 2) return null;
	if (feature.kind === "boolean") return { kind: "flags" };
	if (feature.kind === "category")
		return levelBins(feature.levels, values, most);
	if (feature.kind === "attribute" && feature.type !== "number")
		return levelBins(feature.values, values, most);
	const numbers = Float64Array.from(values, (value) =>
		numberOf(feature, value, part),
	).sort();
	return {
		kind: "edges",
		edges: quantiles(numbers, Math.min(most, MOST_QUANTILES)),
	};
}

/** Most frequent first; among equals in the order of the definition. */
function levelBins(
	declared: readonly string[],
	values: readonly JsonValue[],
	most: number,
): Bins {
	const counts = new Map(declared.map((level) => [level, 0]));
	for (const value of values) {
		const known = counts.get(value as string);
		if (known !== undefined) counts.set(value as string, known + 1);
	}
	const levels = [...counts]
		.sort(([, a], [, b]) => b - a)
		.slice(0, Math.min(Math.max(1, most - 2), MOST_LEVELS))
		.map(([level]) => level);
	return { kind: "levels", levels };
}

/**
 * Edges between equally many of the sorted numbers, halfway between two neighbours so that none is anybody's own value. Equal numbers are
 * never parted: many of them make fewer and unequal bins, and if all are equal there is a bin below, one for it and one above.
 */
function quantiles(sorted: Float64Array, bins: number): readonly number[] {
	const n = sorted.length;
	const edges: number[] = [];
	for (let i = 1; i < bins; i++) {
		let at = Math.round((i * n) / bins);
		while (at < n && sorted[at - 1] === sorted[at]) at++;
		if (at >= n) break;
		const edge = between(sorted[at - 1] as number, sorted[at] as number);
		if (edge !== edges.at(-1)) edges.push(edge);
	}
	if (edges.length > 0) return edges;
	const first = sorted[0] as number;
	const last = sorted[n - 1] as number;
	return [first - margin(first), last + margin(last)];
}

function between(low: number, high: number): number {
	const middle = low / 2 + high / 2;
	return middle < high ? middle : low;
}

function margin(value: number): number {
	return Math.max(1, Math.abs(value)) * 1e-9;
}

function numberOf(
	feature: ValueFeature,
	value: JsonValue,
	part: number,
): number {
	if (feature.kind === "vector")
		return (value as readonly number[])[part] as number;
	if (feature.kind === "cyclic") return around(value as number, feature.period);
	return feature.kind === "timeOfDay"
		? around(value as number, HOURS)
		: (value as number);
}

function around(value: number, period: number): number {
	return ((value % period) + period) % period;
}

/** How many edges lie below the value. */
function lowerBound(edges: readonly number[], value: number): number {
	let low = 0;
	let high = edges.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((edges[middle] as number) < value) low = middle + 1;
		else high = middle;
	}
	return low;
}
