import { atMost, type Goal, printGoals } from "./support/goals.js";
import type { RatioRow } from "./support/ratio-row.js";
import { printMachine, printTable, threeDigits } from "./support/table.js";

const HEAD = ["", "K", "d", "kernel µs", "against", "its µs", "ratio"];

/** The rows as people read them; a ratio below 1 is the kernel being faster. */
export function printScores(
	rows: readonly RatioRow[],
	goals: readonly Goal[],
): void {
	printTable(
		HEAD,
		rows.map((row) => [
			row.name === "score" ? "score a decision" : "refresh an arm",
			row.K === undefined ? "" : `${row.K}`,
			`${row.d}`,
			threeDigits(row.ours),
			row.against,
			threeDigits(row.baseline),
			row.against === "c"
				? `${row.ratio.toFixed(2)} ×`
				: `1 / ${threeDigits(1 / row.ratio)}`,
		]),
	);
	printGoals(goals);
	printMachine();
}

/** Where there is no compiler there are no rows beside C, and no goals of them. */
export function scoreGoals(rows: readonly RatioRow[]): readonly Goal[] {
	return rows.flatMap((row) => {
		const bound = boundOf(row);
		const { name, against, K, d } = row;
		const size = K === undefined ? `d = ${d}` : `K = ${K}, d = ${d}`;
		return bound === null
			? []
			: [atMost(`${name}, ${size}`, row.ratio, bound, `× ${against}`)];
	});
}

function boundOf({ name, against, K = 0, d = 0 }: RatioRow): number | null {
	if (name === "refresh") return against === "c" ? 1.5 : null;
	if (against === "c") return K * d * d >= 20_000 ? 2 : 3;
	return against === "ml-matrix" ? 1 / 60 : null;
}
