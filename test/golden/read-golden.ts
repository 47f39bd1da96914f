import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const at = (name: string) => new URL(`./data/${name}`, import.meta.url);

export function readText(name: string): string {
	const bytes = readFileSync(at(name));
	return (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

export function readJson<T>(name: string): T {
	return JSON.parse(readText(name)) as T;
}

/** Rows of numbers below the header line. */
export function readCsv(name: string): number[][] {
	const lines = readText(name).trim().split("\n").slice(1);
	return lines.map((line) => line.split(",").map(Number));
}

export interface LabelledRow {
	/** [1, x]. */
	readonly x: Float64Array;
	readonly label: number;
}

/** A classification set in the order of its pass. */
export function readPass(name: string): LabelledRow[] {
	const rows = readCsv(`${name}.csv.gz`);
	return readCsv(`${name}.order.csv.gz`).map(([row]) => {
		const values = rows[row as number] as number[];
		return {
			x: Float64Array.from([1, ...values.slice(0, -1)]),
			label: values.at(-1) as number,
		};
	});
}
