import { describe, expect, test } from "vitest";
import { csvCell, makeReport, reportCsv } from "../src/index.js";
import { definitionOf, inputOf, unitsOf } from "./builders.js";

describe("a cell", () => {
	for (const formula of [
		"=1+1",
		"+1",
		"-1",
		"@SUM(A1)",
		"\tx",
		"\rx",
		'=HYPERLINK("http://x")',
	])
		test(`of the text ${JSON.stringify(formula)} is no formula`, () => {
			const cell = csvCell(formula);
			expect(cell.startsWith(`"'${formula.charAt(0)}`)).toBe(true);
		});

	test("of a number stays a number, also a negative one", () => {
		expect([0.5, -0.25, 1e-7, 12].map(csvCell)).toEqual([
			"0.5",
			"-0.25",
			"1e-7",
			"12",
		]);
	});

	test("with commas, quotes or line breaks is quoted, and nothing is empty", () => {
		expect(csvCell('a,"b"')).toBe('"a,""b"""');
		expect(csvCell("a\r\nb")).toBe('"a\r\nb"');
		expect(csvCell("plain")).toBe("plain");
		expect(csvCell(null)).toBe("");
	});
});

test("the table has one row per group, arm of each group and comparison, every row as wide as the header", () => {
	const rows = [
		...unitsOf("policy", 150, 90),
		...unitsOf("control", 150, 60, { arm: "energy" }),
	];
	const csv = reportCsv(makeReport(inputOf(rows, definitionOf())));
	const lines = csv.split("\r\n");
	expect(lines.pop()).toBe("");
	const table = lines.map((line) =>
		line
			.match(/("([^"]|"")*"|[^,]*)(,|$)/g)!
			.slice(0, -1)
			.map((cell) => cell.replace(/,$/, "")),
	);
	const width = table[0]!.length;
	expect(
		table.every((cells) => cells.length >= width - 1 && cells.length <= width),
	).toBe(true);
	const column = table[0]!.indexOf("row");
	const kinds = table.slice(1).map((cells) => cells[column]!);
	const count = (kind: string) =>
		kinds.filter((one) => one.startsWith(kind)).length;
	expect(kinds[0]).toBe("answer: keep going");
	expect(
		["group", "arm", "metric lift", "value of arm", "check:"].map(count),
	).toEqual([3, 9, 14, 3, 4]);
	const lift = Object.fromEntries(
		table[0]!.map((name, i) => [
			name,
			table[1 + kinds.indexOf("lift (policy minus control)")]![i],
		]),
	);
	expect(Number(lift.estimate)).toBeCloseTo(0.2, 12);
	expect(lift).toMatchObject({
		experiment: "morning",
		version: "1",
		run: "1",
		revision: "7",
		confidence: "0.95",
		interval: "always-valid",
		observation: "unit",
	});
});
