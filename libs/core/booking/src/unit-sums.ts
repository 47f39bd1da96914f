import {
	columnOf,
	type Metric,
	ofUnit,
	RETURN_HOURS,
	STEPS,
} from "#core/metrics";
import { ExactSum } from "./exact-sum.js";
import { ALL, BOTH, FIRST, type Side, type Slice, WEEK1 } from "./slice.js";
import {
	type GroupEntry,
	hourOf,
	type UnitEntry,
	WEEK_HOURS,
} from "./unit-entry.js";

/** Σ 1, Σ n, Σ C, Σ n², Σ nC, Σ C² over units with an n of the metric. */
export const MOMENTS = 6;
/** Σ 1, Σ x, Σ x² over units with a covariate; then for each metric Σ n, Σ C, Σ xn, Σ xC over the same. */
export const COVARIATE_HEAD = 3;
export const COVARIATE_EACH = 4;

/** What the sums of a slice and group change by. */
export interface SumsChange {
	readonly slice: Slice;
	readonly side: Side;
	readonly units: number;
	/** MOMENTS of each metric. */
	readonly moments: readonly bigint[];
	/** Empty where the slice has none. */
	readonly covariate: readonly bigint[];
}

/** A unit as the sums of one slice have it. */
interface Observation {
	/** n and C of each metric, as `ofUnit` makes them. */
	readonly columns: readonly number[];
	readonly x: number | null;
}

/** Whether a unit's cohort of so many hours is closed. */
export type IsClosed = (hours: number) => boolean;

const NOTHING: Observation = { columns: [], x: null };

/** Changes of the sums of one epoch, from what units were to what they are. */
export class UnitSums {
	readonly #sums = new Map<string, SliceSums>();

	constructor(private readonly metrics: readonly Metric[]) {}

	/** Any function of what a unit did stays exact so: out with the old, in with the new. */
	move(
		before: UnitEntry,
		after: UnitEntry,
		wasClosed: IsClosed,
		isClosed: IsClosed,
	): void {
		const old = this.#observations(before, wasClosed);
		const now = this.#observations(after, isClosed);
		for (const [key, observation] of now)
			this.#of(key).move(old.get(key), observation);
		for (const [key, observation] of old)
			if (!now.has(key)) this.#of(key).move(observation, undefined);
	}

	changes(): SumsChange[] {
		return [...this.#sums].flatMap(([key, sums]) => {
			const [side, slice] = split(key);
			const change = { slice, side, ...sums.changes() };
			return change.units === 0 &&
				change.moments.every((value) => value === 0n) &&
				change.covariate.every((value) => value === 0n)
				? []
				: [change];
		});
	}

	#of(key: string): SliceSums {
		let sums = this.#sums.get(key);
		if (sums === undefined) {
			const [, slice] = split(key);
			sums = new SliceSums(
				slice === FIRST || slice === BOTH ? 0 : this.metrics.length,
				slice === ALL || slice === WEEK1,
			);
			this.#sums.set(key, sums);
		}
		return sums;
	}

	#observations(
		entry: UnitEntry,
		isClosed: IsClosed,
	): Map<string, Observation> {
		const all = new Map<string, Observation>();
		const { policy, control } = entry;
		for (const [side, group] of Object.entries(entry) as [Side, GroupEntry][]) {
			const returns = returnsOf(group, isClosed);
			const arms = Object.keys(group.slices).filter((slice) =>
				slice.startsWith("arm:"),
			);
			for (const [slice, raw] of Object.entries(group.slices)) {
				if (slice === WEEK1 && !isClosed(WEEK_HOURS)) continue;
				// A unit that had several arms did not come back because of one.
				const own =
					slice === ALL || (arms.length === 1 && slice === arms[0])
						? returns
						: null;
				all.set(`${side} ${slice}`, {
					columns: this.#columns(raw, own),
					x: group.x,
				});
			}
		}
		if (policy !== undefined && control !== undefined) {
			all.set(`policy ${BOTH}`, NOTHING);
			all.set(
				`${policy.first < control.first ? "policy" : "control"} ${FIRST}`,
				NOTHING,
			);
		} else if (policy !== undefined) all.set(`policy ${FIRST}`, NOTHING);
		else if (control !== undefined) all.set(`control ${FIRST}`, NOTHING);
		return all;
	}

	#columns(
		raw: readonly number[],
		returns: ReadonlyMap<number, boolean> | null,
	): number[] {
		const columns = new Array<number>(2 * this.metrics.length);
		this.metrics.forEach((metric, i) => {
			const came = returns?.get(2 * i);
			const [n, c] =
				came === undefined
					? ofUnit(metric, raw[2 * i] ?? 0, raw[2 * i + 1] ?? 0)
					: [1, came ? STEPS : 0];
			columns[2 * i] = n;
			columns[2 * i + 1] = c;
		});
		return columns;
	}
}

const split = (key: string): [Side, Slice] => {
	const at = key.indexOf(" ");
	return [key.slice(0, at) as Side, key.slice(at + 1)];
};

/**
 * Whether the unit came back, by the column of the metric, for those whose time is over: a decision in another hour than the first's and
 * the next, before as many hours are over.
 */
function returnsOf(
	{ first, hours }: GroupEntry,
	isClosed: IsClosed,
): ReadonlyMap<number, boolean> {
	const from = hourOf(first);
	const later = Object.keys(hours)
		.map(Number)
		.filter((hour) => hour >= from + 2);
	return new Map(
		RETURNS.filter(([, within]) => isClosed(within)).map(([column, within]) => [
			column,
			later.some((hour) => hour < from + within),
		]),
	);
}

/** After so many hours from the hour of its first decision something of a unit is counted that was not before. */
export const COHORT_HOURS: readonly number[] = [
	...new Set([WEEK_HOURS, ...Object.values(RETURN_HOURS)]),
];

const RETURNS = Object.entries(RETURN_HOURS).map(
	([name, within]) => [columnOf(name), within] as const,
);

class SliceSums {
	#units = 0;
	readonly #moments: readonly ExactSum[];
	readonly #covariate: readonly ExactSum[];

	constructor(
		private readonly metrics: number,
		hasCovariate: boolean,
	) {
		this.#moments = sums(MOMENTS * metrics);
		this.#covariate = sums(
			hasCovariate ? COVARIATE_HEAD + COVARIATE_EACH * metrics : 0,
		);
	}

	move(before: Observation | undefined, after: Observation | undefined): void {
		this.#units += (after ? 1 : 0) - (before ? 1 : 0);
		const old = before ?? NOTHING;
		const now = after ?? NOTHING;
		for (let i = 0; i < this.metrics; i++) {
			const [n, c] = pair(old, i);
			const [m, d] = pair(now, i);
			if (n === m && c === d) continue;
			this.#add(i, n, c, -1);
			this.#add(i, m, d, 1);
		}
		if (this.#covariate.length > 0 && (old.x !== null || now.x !== null)) {
			this.#adjust(old, -1);
			this.#adjust(now, 1);
		}
	}

	changes() {
		return {
			units: this.#units,
			moments: this.#moments.map(({ value }) => value),
			covariate: this.#covariate.map(({ value }) => value),
		};
	}

	#add(metric: number, n: number, c: number, sign: 1 | -1): void {
		if (n === 0 && c === 0) return;
		const at = (k: number) => this.#moments[MOMENTS * metric + k] as ExactSum;
		at(0).add(sign);
		at(1).add(sign * n);
		at(2).add(sign * c);
		at(3).addProduct(n, n, sign);
		at(4).addProduct(n, c, sign);
		at(5).addProduct(c, c, sign);
	}

	#adjust(observation: Observation, sign: 1 | -1): void {
		const { x } = observation;
		if (x === null) return;
		const at = (k: number) => this.#covariate[k] as ExactSum;
		at(0).add(sign);
		at(1).add(sign * x);
		at(2).addProduct(x, x, sign);
		for (let i = 0; i < this.metrics; i++) {
			const [n, c] = pair(observation, i);
			if (n === 0 && c === 0) continue;
			const from = COVARIATE_HEAD + COVARIATE_EACH * i;
			at(from).add(sign * n);
			at(from + 1).add(sign * c);
			at(from + 2).addProduct(x, n, sign);
			at(from + 3).addProduct(x, c, sign);
		}
	}
}

const sums = (count: number): ExactSum[] =>
	Array.from({ length: count }, () => new ExactSum());

const pair = (
	{ columns }: Observation,
	i: number,
): readonly [number, number] => [columns[2 * i] ?? 0, columns[2 * i + 1] ?? 0];
