import type { Side } from "#core/booking";
import type { Definition } from "#core/experiment";
import type { DecisionRow, Event } from "#core/log";
import { contributionOf, ofUnit } from "#core/metrics";
import type { BookMetric, GuardBook } from "./guard-plan.js";

/** A decision of policy or control, as it was counted and as it is to be counted now; null: not at all. */
export interface Guarded {
	readonly row: Pick<DecisionRow, "unit" | "group" | "decidedAt">;
	readonly side: Side;
	readonly before: readonly Event[] | null;
	readonly after: readonly Event[];
}

/** What a unit did in one group: n and C of each of the book's metrics, C in steps of the grid. */
export interface GuardedUnit {
	readonly side: Side;
	readonly unit: string;
	readonly n: readonly number[];
	readonly c: readonly number[];
}

/** Σ 1, Σ n, Σ C, Σ n², Σ nC, Σ C² over units with an n of the metric, exact. */
export interface GuardSums {
	readonly side: Side;
	readonly column: number;
	readonly units: bigint;
	readonly n: bigint;
	readonly c: bigint;
	readonly nn: bigint;
	readonly nc: bigint;
	readonly cc: bigint;
}

/** What units gain: added up by group and unit. */
export function countGuarded(
	{ experiment }: Definition,
	{ metrics, withinMs }: Pick<GuardBook, "metrics" | "withinMs">,
	guarded: readonly Guarded[],
): GuardedUnit[] {
	const units = new Map<
		string,
		{ side: Side; unit: string; n: number[]; c: number[] }
	>();
	for (const { row, side, before, after } of guarded) {
		const key = `${side} ${row.unit}`;
		let own = units.get(key);
		if (own === undefined) {
			const zeros = () => metrics.map(() => 0);
			own = { side, unit: row.unit, n: zeros(), c: zeros() };
			units.set(key, own);
		}
		for (const [events, sign] of [
			[before, -1],
			[after, 1],
		] as const) {
			if (events === null) continue;
			// As if it were asked at the moment that the window closed.
			const inTime = events.filter(({ at }) => at - row.decidedAt <= withinMs);
			const { columns } = contributionOf(experiment, row, inTime);
			metrics.forEach(({ place }, i) => {
				const { n, c } = own as { n: number[]; c: number[] };
				n[i] = (n[i] as number) + sign * (columns[2 * place] as number);
				c[i] = (c[i] as number) + sign * (columns[2 * place + 1] as number);
			});
		}
	}
	return [...units.values()];
}

/** Units as they are with what they gain, and what the sums change by. */
export function addGains(
	metrics: readonly BookMetric[],
	stored: readonly GuardedUnit[],
	gains: readonly GuardedUnit[],
): {
	readonly units: readonly GuardedUnit[];
	readonly sums: readonly GuardSums[];
} {
	const nameOf = ({ side, unit }: GuardedUnit) => `${side} ${unit}`;
	const before = new Map(stored.map((unit) => [nameOf(unit), unit]));
	const moves = gains.map((gain) => {
		const old = before.get(nameOf(gain)) ?? null;
		const plus = (name: "n" | "c") =>
			gain[name].map((value, i) => value + (old?.[name][i] ?? 0));
		return { before: old, after: { ...gain, n: plus("n"), c: plus("c") } };
	});
	return {
		units: moves.map(({ after }) => after),
		sums: moveSums(metrics, moves),
	};
}

/** What sums change by where a unit becomes another: out with the old, in with the new, so any function of a unit's n and C stays exact. */
export function moveSums(
	metrics: readonly BookMetric[],
	moves: readonly {
		readonly before: GuardedUnit | null;
		readonly after: GuardedUnit | null;
	}[],
): GuardSums[] {
	const sums = new Map<
		string,
		{ -readonly [K in keyof GuardSums]: GuardSums[K] }
	>();
	for (const { before, after } of moves)
		for (const [unit, sign] of [
			[before, -1n],
			[after, 1n],
		] as const) {
			if (unit === null) continue;
			metrics.forEach((metric, column) => {
				const [n, c] = ofUnit(
					metric,
					unit.n[column] as number,
					unit.c[column] as number,
				).map(BigInt) as [bigint, bigint];
				if (n === 0n && c === 0n) return;
				const own = sumsOf(sums, unit.side, column);
				own.units += sign;
				own.n += sign * n;
				own.c += sign * c;
				own.nn += sign * n * n;
				own.nc += sign * n * c;
				own.cc += sign * c * c;
			});
		}
	return [...sums.values()];
}

function sumsOf<T extends GuardSums>(
	sums: Map<string, T>,
	side: Side,
	column: number,
): T {
	const key = `${side} ${column}`;
	let own = sums.get(key);
	if (own === undefined) {
		const zero = { units: 0n, n: 0n, c: 0n, nn: 0n, nc: 0n, cc: 0n };
		own = { side, column, ...zero } as T;
		sums.set(key, own);
	}
	return own;
}
