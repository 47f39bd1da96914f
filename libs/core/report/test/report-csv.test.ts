import { describe, expect, test } from "vitest";
import { csvCell, makeReport, reportCsv } from "../src/index.js";
import { definitionOf, inputOf, unitsOf } from "./builders.js";
import { groups, planned } from "./planned.js";

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

/** Cells by the name of their column. */
function tableOf(csv: string): { readonly [column: string]: string }[] {
	const [header, ...lines] = csv
		.trimEnd()
		.split("\r\n")
		.map((line) =>
			[...line.matchAll(/(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/g)].map(
				([, quoted, plain]) => (quoted ?? plain ?? "").replaceAll('""', '"'),
			),
		);
	return lines.map((cells) =>
		Object.fromEntries((header ?? []).map((name, i) => [name, cells[i] ?? ""])),
	);
}

test("the table tells of health, freshness and the audit what the page tells, and how each number is computed", () => {
	const input = inputOf(groups(100, 60, 45), definitionOf(), {
		lateEvents: 7,
		missing: { device: 0.25 },
		marks: [
			{ at: 1_000, action: "edit", actor: "=ana", sentence: "more traffic" },
		],
	});
	const table = tableOf(
		reportCsv(
			makeReport({
				...input,
				booked: {
					...input.booked,
					degraded: { decisions: 10, parts: { profile: 10 } },
				},
			}),
		),
	);
	const row = (name: string) => table.find(({ row }) => row === name);
	expect(row("health: exploration left")).toMatchObject({ estimate: "0" });
	expect(row("health: missing feature: device")).toMatchObject({
		estimate: "0.25",
	});
	expect(row("health: degraded share")).toMatchObject({
		estimate: "0.05",
		note: expect.stringMatching(/^5 % of the decisions were served degraded/),
		footnote: "health",
	});
	expect(row("health: degraded: profile")).toMatchObject({ estimate: "0.05" });
	expect(row("health: late events")).toMatchObject({ estimate: "7" });
	expect(
		row("health: effective sample size, the least of an active arm")?.note,
	).toMatch(/No decision is booked/);
	expect(row("lift and values tell of decisions before")?.note).toBe(
		"2026-11-03T08:00:00.000Z",
	);
	expect(row("mark: edit")?.note).toBe(
		"1970-01-01T00:00:01.000Z =ana: more traffic",
	);
	const explained = new Set(
		table
			.filter(({ row }) => row === "how it is computed")
			.map(({ footnote }) => footnote),
	);
	for (const { row, estimate, footnote } of table)
		if (estimate !== "") expect(explained, row).toContain(footnote);
});

test("the table has one row per group, arm of each group and comparison, every row as wide as the header", () => {
	const rows = [
		...unitsOf("policy", 150, 90),
		...unitsOf("control", 150, 60, { arm: "energy" }),
	];
	const csv = reportCsv(makeReport(inputOf(rows, planned)));
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
	).toEqual([3, 9, 14, 3, 5]);
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

test("where there are several epochs it is said which units are counted, beside decisions of all", () => {
	const rows = [1, 2].flatMap((epoch) => [
		...unitsOf("policy", 150, 90, { epoch }),
		...unitsOf("control", 100 * epoch, 60, { epoch }),
	]);
	const table = tableOf(reportCsv(makeReport(inputOf(rows, planned))));
	const control = table.find(
		({ row, metric, group }) =>
			row === "metric" && metric === "reward" && group === "control",
	);
	expect(control).toMatchObject({ units: "200", learned_decisions: "300" });
	expect(table.find(({ row }) => row === "what units counts")?.note).toMatch(
		/epoch that has most.*other counts are over all epochs/,
	);
});

test("the table says what to do and why, what was planned, what groups add up to and what no arm's value counts", () => {
	const input = inputOf(groups(1000, 600, 450), planned);
	const { booked } = input;
	const freshness = { ...booked.freshness, unbooked: 3 };
	const report = makeReport({ ...input, booked: { ...booked, freshness } });
	const table = tableOf(reportCsv(report));
	const rows = (name: string) => table.filter(({ row }) => row === name);
	expect(rows("what to do")[0]?.note).toBe(report.answer.advice);
	expect(rows("why").map(({ note }) => note)).toEqual(report.answer.reasons);
	expect(rows("plan: smallest effect that matters")[0]).toMatchObject({
		metric: "reward",
		estimate: "0.1",
		units: "4000",
		standard_error: String(report.plan?.plannedStandardError),
		note: expect.stringContaining(String(report.plan?.tau)),
	});
	expect(rows("health: rows in no arm's value")[0]?.decisions).toBe("3");
	const earned = rows("metric").find(
		({ metric, group }) => metric === "reward" && group === "policy",
	);
	expect(earned?.total).toBe("600");
	const none = tableOf(reportCsv(makeReport(inputOf([]))));
	expect(none.find(({ row }) => row === "plan")?.note).toMatch(/none/);
});
