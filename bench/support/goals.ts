import { printTable, threeDigits } from "./table.js";

/** A figure beside what it is held to. */
export interface Goal {
	readonly name: string;
	readonly value: number;
	readonly is: "at most" | "at least";
	readonly bound: number;
	/** Of `value` and `bound`. */
	readonly unit: string;
}

export const atMost = (
	name: string,
	value: number,
	bound: number,
	unit: string,
): Goal => ({ name, value, is: "at most", bound, unit });

export const atLeast = (
	name: string,
	value: number,
	bound: number,
	unit: string,
): Goal => ({ name, value, is: "at least", bound, unit });

/** What is no number was not measured, and keeps nothing. */
export function isKept({ value, is, bound }: Goal): boolean {
	return is === "at most" ? value <= bound : value >= bound;
}

/** For people, below a benchmark's rows. */
export function printGoals(goals: readonly Goal[]): void {
	printTable(
		["goal", "measured", "bound", "unit", ""],
		goals.map((goal) => [
			goal.name,
			threeDigits(goal.value),
			`${goal.is} ${threeDigits(goal.bound)}`,
			goal.unit,
			isKept(goal) ? "kept" : "missed",
		]),
	);
}
