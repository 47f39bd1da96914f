import { expect, test } from "vitest";
import { makeReport, type ReportInput } from "../src/index.js";
import { definitionOf, inputOf, type Row, unitsOf } from "./builders.js";
import { PLANNED } from "./planned.js";

const EPOCHS = ["focus", "uniform"] as const;

/** Decisions of control: in the first epoch all for focus, in the second for both arms; all earn the same there, whatever the arm. */
function rowsOf(shown: { readonly [epoch: number]: number }): Row[] {
	return EPOCHS.flatMap((baseline, i) =>
		(baseline === "uniform" ? ["focus", "calm"] : ["focus"]).flatMap((arm) => {
			const epoch = i + 1;
			const units = 200;
			const seen = (shown[epoch] ?? 1) * units;
			return [
				...unitsOf("control", seen, 0.5 * epoch * seen, { arm, epoch }),
				...Array.from({ length: units - seen }, (_, k) => ({
					group: "control" as const,
					unit: `unseen-${k}`,
					arm,
					epoch,
				})),
			].map((row) => ({ ...row, unit: `${row.unit}/${arm}/${epoch}` }));
		}),
	);
}

const reportOf = (
	shown: { readonly [epoch: number]: number },
	start: string = "focus",
	more: Partial<ReportInput> = {},
) =>
	makeReport(
		inputOf(
			rowsOf(shown),
			definitionOf({
				...PLANNED,
				traffic: { share: 1, control: 0.5, baseline: start },
			}),
			{ baselineOf: new Map(EPOCHS.map((of, i) => [i + 1, of])), ...more },
		),
	);

test("arms are compared among control's decisions only where these were drawn: an edit of the baseline tells of no arm", () => {
	const report = reportOf({});
	const [focus, , calm] =
		report.metricsByArm.find(({ metric }) => metric === "reward")?.arms ?? [];
	expect(focus).toMatchObject({ mean: 1, units: 200 });
	expect(calm).toMatchObject({ mean: 1, units: 200 });
	expect(report.uniformExpected).toBe(1);
	expect(report.bestSingleArm).toMatchObject({ arm: "focus", mean: 1 });
	expect(report.control.mean).toBeCloseTo(5 / 6, 12);
});

test("showing that changed with the baseline is no showing that depends on the arm", () => {
	for (const start of EPOCHS) {
		const { checks } = reportOf({ 1: 0.5, 2: 0.9 }, start);
		expect(checks.find(({ check }) => check === "showing")).toMatchObject({
			status: "passed",
		});
	}
});

test("control that was always given an arm tells of no other, whichever it was", () => {
	const report = reportOf({}, "focus", {
		baselineOf: new Map([
			[1, "focus"],
			[2, "calm"],
		]),
	});
	expect(report.uniformExpectedWithheld).toMatch(/always given calm/);
	expect(report.checks.find(({ check }) => check === "showing")?.sentence).toBe(
		"Control always gets the same arm, so it cannot tell whether showing depends on the arm.",
	);
});

test("a policy that did what control did until the baseline was changed is no A/A test", () => {
	const input = inputOf(
		rowsOf({}),
		definitionOf({ ...PLANNED, policy: { kind: "uniform" } }),
		{ baselineOf: new Map(EPOCHS.map((of, i) => [i + 1, of])) },
	);
	expect(makeReport(input).checks.map(({ check }) => check)).not.toContain(
		"A/A",
	);
});
