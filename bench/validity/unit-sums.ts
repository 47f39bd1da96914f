import type { UnitMoments } from "#core/statistics";

/** n and C of every unit of one group, and their sums over units, moved by new − old with each decision. */
export class UnitSums {
	readonly moments = { units: 0, n: 0, c: 0, nn: 0, nc: 0, cc: 0 };
	readonly #n: Float64Array;
	readonly #c: Float64Array;

	constructor(units: number) {
		this.#n = new Float64Array(units);
		this.#c = new Float64Array(units);
	}

	/** One decision of a unit, with its reward. */
	add(unit: number, reward: number): void {
		const n = this.#n[unit] as number;
		const c = this.#c[unit] as number;
		const { moments } = this;
		if (n === 0) moments.units++;
		moments.n++;
		moments.c += reward;
		moments.nn += 2 * n + 1;
		moments.nc += c + reward * (n + 1);
		moments.cc += (2 * c + reward) * reward;
		this.#n[unit] = n + 1;
		this.#c[unit] = c + reward;
	}

	clear(): void {
		Object.assign(this.moments, { units: 0, n: 0, c: 0, nn: 0, nc: 0, cc: 0 });
		this.#n.fill(0);
		this.#c.fill(0);
	}
}

/** The same decisions as if each were a unit of its own, reward 0 or 1: what a reader who forgets that listeners return would take. */
export function asDecisions({ n, c }: UnitMoments): UnitMoments {
	return { units: n, n, c, nn: n, nc: c, cc: c };
}
