import type { RatioRow } from "./support/ratio-row.js";
import { printMachine, printTable, threeDigits } from "./support/table.js";

const HEAD = ["", "K", "d", "kernel µs", "against", "its µs", "ratio", "goal"];

/** The rows as people read them; a ratio below 1 is the kernel being faster. */
export function printScores(rows: readonly RatioRow[]): void {
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
			goalOf(row),
		]),
	);
	printMachine();
}

function goalOf({ name, against, K = 0, d = 0 }: RatioRow): string {
	if (name === "refresh") return against === "c" ? "≤ 1.5 ×" : "";
	if (against === "c") return K * d * d >= 20_000 ? "≤ 2 ×" : "≤ 3 ×";
	return against === "ml-matrix" ? "≤ 1 / 60" : "";
}
