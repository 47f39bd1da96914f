import { describe, expect, test } from "vitest";
import type { Estimate, Report } from "#core/report";
import { sampleReport } from "../test/sample-report.js";
import { reportPage } from "./page.js";

const page = reportPage(sampleReport());

/** Whatever a person typed anywhere, made markup. */
function everyText<T>(value: T, made: (text: string) => string): T {
	if (typeof value === "string") return made(value) as T;
	if (Array.isArray(value))
		return value.map((one) => everyText(one, made)) as T;
	if (typeof value !== "object" || value === null) return value;
	return Object.fromEntries(
		Object.entries(value).map(([key, one]) => [
			made(key),
			everyText(one, made),
		]),
	) as T;
}

describe("the page", () => {
	test("needs nothing else: no script, no address but those of footnotes on itself", () => {
		expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(/i);
		const targets = [...page.matchAll(/\b(?:href|src)="([^"]*)"/g)].map(
			([, target]) => target,
		);
		expect(targets.length).toBeGreaterThan(0);
		for (const target of targets) expect(target).toMatch(/^#note-/);
	});

	test("has a footnote for every mark that leads to one", () => {
		const ids = new Set(
			[...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id),
		);
		for (const [, id] of page.matchAll(/href="#([^"]*)"/g))
			expect(ids).toContain(id);
	});

	test("begins with the answer, and has its charts: the arms on one axis, the lift over time, the traffic over time", () => {
		expect(page.indexOf("Ship.")).toBeLessThan(page.indexOf("<h2>"));
		const charts = [...page.matchAll(/aria-label="([^"]*)"/g)].map(
			([, label]) => label,
		);
		for (const chart of [
			"Values of arms on one axis",
			"Lift over time with its always-valid sequence",
			"Share of the policy&#39;s decisions by arm",
			"Lift by segment",
		])
			expect(charts).toContain(chart);
	});

	test("leads from every number to how it is computed", () => {
		const marked = [...page.matchAll(/href="#note-([^"]*)"/g)].map(
			([, id]) => id,
		);
		for (const id of [
			"ratio",
			"lift",
			"relative-lift",
			"cohort",
			"cuped",
			"p-value",
			"segment",
			"arm-value",
			"guardrail",
			"sample-ratio",
			"per-impression",
			"health",
		])
			expect(marked).toContain(id);
	});

	test("says what is capped, and tells of health in sentences: exploration, sample size, features, degraded, late", () => {
		expect(page).toContain("each listener counts at most 3");
		for (const { sentence } of sampleReport().health.sentences)
			expect(page).toContain(sentence);
		expect(page).toMatch(/Degraded share<\/th><td class="n">2 %/);
	});

	test("shows on the time axes when somebody did something, and in a list who and why", () => {
		const axes = page.match(/<title>(?:start|edit)<\/title><line/g) ?? [];
		// Before the first look nothing can be drawn on the lift's axis.
		expect(axes).toHaveLength(3);
		expect(page).toContain("traffic.share: 0.5 → 1");
		expect(page).toContain("bo</td>");
	});

	test("has no chance to win", () => {
		expect(page).not.toMatch(
			/chance to (win|beat)|probability (to|of) (win|be)/i,
		);
	});

	test("says how fresh it is: up to when lift and values tell, and how many decisions are waited for", () => {
		expect(page).toContain(
			"Lift and values tell of decisions before 2026-11-04 07:00 UTC, whose windows are closed; 120 later ones are waited for.",
		);
	});

	test("opens and closes every element in order", () => {
		const open: string[] = [];
		const body = page.slice(page.indexOf("<html"));
		for (const [, slash, name, rest] of body.matchAll(
			/<(\/?)([a-z0-9]+)((?:"[^"]*"|[^>"])*)>/g,
		)) {
			if (["meta", "br"].includes(name!) || rest!.endsWith("/")) continue;
			if (slash === "") open.push(name!);
			else expect(open.pop()).toBe(name);
		}
		expect(open).toEqual([]);
	});

	test("shows whatever people typed as text", () => {
		const bad = `"'><script>alert(1)</script>&`;
		const { verdict } = sampleReport().answer;
		const { state } = sampleReport();
		const typed = everyText(sampleReport(), (text) =>
			text === verdict || text === state || text.match(/^[a-z-]+$/i)
				? text
				: `${text}${bad}`,
		);
		const arms = typed.armValues.map((one) => ({
			...one,
			arm: `${one.arm}${bad}`,
		}));
		const evil: Report = {
			...typed,
			armValues: arms,
			name: bad,
			owner: bad,
			timeline: {
				...typed.timeline,
				marks: [{ at: 0, action: bad, actor: bad, sentence: bad }],
			},
		};
		const shown = reportPage(evil);
		expect(shown).not.toMatch(/<script/i);
		expect(shown).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
		for (const [tag] of shown.matchAll(/<[a-z][^>]*>/g))
			expect(tag.match(/"/g)?.length ?? 0).toSatisfy(
				(n) => (n as number) % 2 === 0,
			);
	});

	test("without any number is whole and says why", () => {
		const reason = "not enough listeners yet: 3 in the control group";
		const nothing: Estimate = {
			...sampleReport().lift,
			estimate: null,
			standardError: null,
			low: null,
			high: null,
			withheld: reason,
		};
		const empty = reportPage({
			...sampleReport(),
			lift: nothing,
			relativeLift: nothing,
			cohortLift: nothing,
			adjustedLift: nothing,
			metrics: [],
			segments: [],
			armValues: [],
			guardrails: [],
			checks: [],
			plan: null,
			timeline: { looks: [], traffic: [], marks: [] },
		});
		expect(empty).toContain(reason);
		expect(empty).toMatch(/Relative to control<\/th><td>.*as the difference/);
		expect(empty).not.toMatch(/NaN|undefined|Infinity/);
	});

	test("has no number that is none", () => {
		expect(page).not.toMatch(/NaN|undefined|Infinity|null/);
	});
});
