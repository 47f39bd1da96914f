import { expect, test } from "vitest";
import { makeReport, reportCsv } from "../src/index.js";
import { definitionOf, inputOf, unitsOf } from "./builders.js";
import { groups, planned } from "./planned.js";

test("an experiment of which nothing is logged has a whole report", () => {
	const report = makeReport(
		inputOf([], definitionOf({}, { state: "draft", run: 0 }), {
			firstDecidedAt: null,
			lastDecidedAt: null,
		}),
	);
	expect(report.answer).toMatchObject({
		verdict: "cannot tell",
		advice: "Start the experiment.",
	});
	expect(report.uniformExpectedWithheld).not.toBeNull();
	expect(report.health.exploration).toBeNull();
	expect(JSON.stringify(report)).not.toMatch(/NaN|Infinity/);
	expect(report.footnotes.map(({ id }) => id)).toEqual(
		expect.arrayContaining([report.lift.footnote]),
	);
});

test("every number of a report names a footnote that gives its formula, where that comes from, and what it takes for granted", () => {
	const report = makeReport(inputOf(groups(1000, 600, 450), planned));
	const named = new Set(
		[...JSON.stringify(report).matchAll(/"footnote":"([^"]*)"/g)].map(
			([, id]) => id,
		),
	);
	expect(named.size).toBeGreaterThan(8);
	for (const id of named) {
		const footnote = report.footnotes.find((one) => one.id === id);
		for (const part of [
			"title",
			"formula",
			"reference",
			"assumptions",
		] as const)
			expect(footnote?.[part], `${id} ${part}`).toMatch(/\S/);
	}
});

test("no part of a report tells of a chance to win, but to say that a p-value is none", () => {
	const report = makeReport(inputOf(groups(1000, 600, 450), planned));
	for (const text of [JSON.stringify(report), reportCsv(report)])
		expect(text.replaceAll("it is no chance to win", "")).not.toMatch(
			/chance to (win|beat)|probability (to|of) (win|be)/i,
		);
});

test("no arm has a raw mean of the policy's own decisions, in no form of the report", () => {
	const rows = [
		...unitsOf("policy", 300, 137, { arm: "calm" }),
		...groups(300, 180, 120),
	];
	const report = makeReport(inputOf(rows, planned));
	const calm = report.arms.find(({ arm }) => arm === "calm");
	expect(calm).toEqual({
		arm: "calm",
		retired: false,
		decisions: 300,
		share: 0.5,
		n: 300,
	});
	expect(
		report.armValues.find(({ arm }) => arm === "calm")?.value,
	).toMatchObject({
		estimate: null,
		withheld: expect.stringMatching(/not enough evidence/),
	});
	for (const text of [JSON.stringify(report), reportCsv(report)])
		expect(text).not.toContain(String(137 / 300));
});

test("a report says what its lift and its values of arms are averages of, and that intervals are not to be intersected", () => {
	const { answer, notes, footnotes } = makeReport(
		inputOf(groups(1000, 600, 450), planned),
	);
	expect(answer.reasons.join(" ")).toMatch(
		/average so far of what the policy, as it then was, earned more than the baseline; control's decisions teach the policy too/,
	);
	expect(notes.join(" ")).toMatch(/must not be intersected/);
	const assumed = (id: string) =>
		footnotes.find((one) => one.id === id)?.assumptions;
	expect(assumed("lift")).toMatch(
		/average so far.*may not be intersected.*Control's decisions teach the policy too/,
	);
	expect(assumed("arm-value")).toMatch(
		/weighted average, over the decisions so far, of the reward had that arm been shown/,
	);
});
