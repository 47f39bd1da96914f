import { describe, expect, test } from "vitest";
import { csvCell, makeReport, reportCsv } from "../src/index.js";
import { countsOf, definitionOf } from "./builders.js";

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
	const rows = [0, 1, 1].flatMap((reward, i) => [
		{
			group: "policy" as const,
			arm: "focus",
			unit: `p${i}`,
			reward: 1 - reward,
		},
		{ group: "control" as const, arm: "energy", unit: `c${i}`, reward },
	]);
	const csv = reportCsv(makeReport(definitionOf(), countsOf(rows)));
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
	expect(table.slice(1).map((cells) => cells[column])).toEqual([
		...Array(3).fill("group"),
		...Array(9).fill("arm"),
		"lift (policy minus control)",
		"relative lift (fraction of control)",
		"best single arm (highest mean among control)",
		"uniform expected",
	]);
	const lift = Object.fromEntries(
		table[0]!.map((name, i) => [name, table[13]![i]]),
	);
	expect(Number(lift.reward_per_learned_decision)).toBeCloseTo(-1 / 3, 12);
	expect(lift).toMatchObject({
		experiment: "morning",
		version: "1",
		revision: "7",
		interval: "fixed-horizon",
		observation: "unit",
	});
});
