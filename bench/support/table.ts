import Table from "cli-table3";
import { commitName, machineLine } from "./machine.js";

/** A plain table for people; the first column is text, the others are numbers. */
export function printTable(
	head: readonly string[],
	rows: readonly (readonly string[])[],
): void {
	const table = new Table({
		head: [...head],
		colAligns: head.map((_, column) => (column === 0 ? "left" : "right")),
		style: { head: [], border: [] },
	});
	for (const row of rows) table.push([...row]);
	console.log(table.toString());
}

/** What the figures were measured on and with. */
export function printMachine(): void {
	console.log(`\n${machineLine()}\ncommit ${commitName()}`);
}

/** Three significant digits: 0.412, 5.93, 1,240. */
export function threeDigits(value: number): string {
	return Number(value.toPrecision(3)).toLocaleString("en-US", {
		maximumSignificantDigits: 3,
	});
}
