import { type Metric, ofUnit, STEPS } from "#core/metrics";
import { ExactSums } from "./exact-sums.js";

/** Σ 1, Σ n, Σ C, Σ n², Σ nC, Σ C² over units with an n of the metric. */
export const MOMENTS = 6;
/** Σ 1, Σ x, Σ x² over units with a covariate; then for each metric Σ n, Σ C, Σ xn, Σ xC over the same. */
export const COVARIATE_HEAD = 3;
export const COVARIATE_EACH = 4;

/** A unit as the sums of one slice have it. */
export interface Observation {
	/** Of the unit, n and C of each metric. */
	readonly raw: readonly number[];
	/** Whether it came back, by the metric's place; null where that is not the slice's to say. */
	readonly returns: Returns | null;
	readonly x: number | null;
}

/** By place among the metrics, of those whose time is over. */
export type Returns = ReadonlyMap<number, boolean>;

/** Of a unit that is only counted. */
export const NOTHING: Observation = { raw: [], returns: null, x: null };

/** Changes of the sums of one slice and group. */
export class SliceSums {
	#units = 0;
	readonly #moments: ExactSums;
	readonly #covariate: ExactSums;

	constructor(
		private readonly metrics: readonly Metric[],
		hasCovariate: boolean,
	) {
		const count = metrics.length;
		this.#moments = new ExactSums(MOMENTS * count);
		this.#covariate = new ExactSums(
			hasCovariate ? COVARIATE_HEAD + COVARIATE_EACH * count : 0,
		);
	}

	move(before: Observation | undefined, after: Observation | undefined): void {
		this.#units += (after ? 1 : 0) - (before ? 1 : 0);
		const hasCovariate = this.#covariate.count > 0;
		const old = hasCovariate ? (before?.x ?? null) : null;
		const now = hasCovariate ? (after?.x ?? null) : null;
		if (old !== null) this.#addUnit(old, -1);
		if (now !== null) this.#addUnit(now, 1);
		this.metrics.forEach((metric, i) => {
			const [n, c] = valuesOf(metric, i, before);
			const [m, d] = valuesOf(metric, i, after);
			if (n === m && c === d && old === now) return;
			this.#add(i, n, c, -1);
			this.#add(i, m, d, 1);
			if (old !== null) this.#adjust(i, old, n, c, -1);
			if (now !== null) this.#adjust(i, now, m, d, 1);
		});
	}

	changes() {
		return {
			units: this.#units,
			moments: this.#moments.values,
			covariate: this.#covariate.values,
		};
	}

	#add(metric: number, n: number, c: number, sign: 1 | -1): void {
		if (n === 0 && c === 0) return;
		const from = MOMENTS * metric;
		this.#moments.add(from, sign);
		this.#moments.add(from + 1, sign * n);
		this.#moments.add(from + 2, sign * c);
		this.#moments.addProduct(from + 3, n, n, sign);
		this.#moments.addProduct(from + 4, n, c, sign);
		this.#moments.addProduct(from + 5, c, c, sign);
	}

	#addUnit(x: number, sign: 1 | -1): void {
		this.#covariate.add(0, sign);
		this.#covariate.add(1, sign * x);
		this.#covariate.addProduct(2, x, x, sign);
	}

	#adjust(metric: number, x: number, n: number, c: number, sign: 1 | -1): void {
		if (n === 0 && c === 0) return;
		const from = COVARIATE_HEAD + COVARIATE_EACH * metric;
		this.#covariate.add(from, sign * n);
		this.#covariate.add(from + 1, sign * c);
		this.#covariate.addProduct(from + 2, x, n, sign);
		this.#covariate.addProduct(from + 3, x, c, sign);
	}
}

const NONE: readonly [number, number] = [0, 0];

/** n and C of a unit as sums take them. */
function valuesOf(
	metric: Metric,
	place: number,
	observation: Observation | undefined,
): readonly [n: number, c: number] {
	if (observation === undefined) return NONE;
	const came = observation.returns?.get(place);
	if (came !== undefined) return [1, came ? STEPS : 0];
	const { raw } = observation;
	return ofUnit(metric, raw[2 * place] ?? 0, raw[2 * place + 1] ?? 0);
}
