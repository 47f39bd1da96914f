import { expect, test } from "vitest";
import { makeReport, overRuns, type Report, stratumOf } from "../src/index.js";
import { bookedOf, definitionOf, inputOf } from "./builders.js";
import { groups, PLANNED, planned } from "./planned.js";

test("runs of one analysis that were booked apart count together, each with its own control", () => {
	const first = {
		...bookedOf(groups(200, 40, 40), planned),
		degraded: { decisions: 3, parts: { live: 1, profile: 2 } },
	};
	const second = {
		...bookedOf(groups(200, 160, 140), planned),
		degraded: { decisions: 4, parts: { profile: 4 } },
		run: 2,
	};
	const booked = overRuns([first, second], first.metrics);
	const report = makeReport({
		...inputOf([], planned),
		booked,
		controlOf: new Map([
			[stratumOf(1, 1), 0.5],
			[stratumOf(2, 1), 0.5],
		]),
	});
	expect(report.policy.units).toBe(200);
	expect(booked.degraded).toEqual({
		decisions: 7,
		parts: { live: 1, profile: 6 },
	});
	expect(report.lift.estimate).toBeCloseTo(0.05, 12);
	const resumed = definitionOf(PLANNED, { run: 2 });
	const { notes } = makeReport({ ...inputOf([], resumed), booked });
	expect(notes.join(" ")).not.toMatch(/run 2 are counted/);
	expect(notes.join(" ")).toMatch(/since its last start.*run 2 the latest/);
});

test("a group's mean over epochs is no surer than its units: the same listeners again say nothing new of who they are", () => {
	const rows = (epoch: number) =>
		groups(400, 200, 160).map((row) => ({ ...row, epoch }));
	const [once, often] = [[1], [1, 2, 3, 4]].map((epochs) =>
		makeReport(inputOf(epochs.flatMap(rows), planned)),
	) as [Report, Report];
	expect(often.policy.standardError).toBeCloseTo(
		once.policy.standardError as number,
		12,
	);
	expect(often.metrics[0]?.control.standardError).toBeCloseTo(
		once.metrics[0]?.control.standardError as number,
		12,
	);
});

test("the same listeners again are no more of those planned, nor enough for a mean that too few made", () => {
	const over = (epochs: number, units: number, definition = planned) =>
		makeReport(
			inputOf(
				Array.from({ length: epochs }, (_, i) =>
					groups(units, 0.5 * units, 0.5 * units).map((row) => ({
						...row,
						epoch: i + 1,
					})),
				).flat(),
				definition,
			),
		);
	expect(over(6, 400).answer.advice).toBe(
		"Keep going: at least 800 of 4,000 planned listeners are in.",
	);
	expect(over(6, 40)).toMatchObject({
		answer: {
			advice: "Wait: at least 80 of 4,000 planned listeners are in.",
		},
		policy: {
			units: 40,
			withheld: expect.stringMatching(/^not enough listeners yet: 40 in/),
		},
	});
	const finer = definitionOf({
		...PLANNED,
		metrics: { primary: { ...PLANNED.metrics.primary, smallestEffect: 0.02 } },
	});
	expect(over(2, 2_000, finer).answer.advice).toMatch(
		/^The planned 4,000 listeners are in/,
	);
});

test("of epochs whose definitions were not read it says that some numbers leave them out", () => {
	const rows = [1, 2, 3].flatMap((epoch) =>
		groups(40, 20, 20).map((row) => ({ ...row, epoch })),
	);
	const input = inputOf(rows, planned);
	const notesOf = (known: readonly number[]) =>
		makeReport({
			...input,
			controlOf: new Map(known.map((epoch) => [epoch, 0.5])),
		}).notes.join(" ");
	expect(notesOf([1, 2, 3])).not.toMatch(/one by one/);
	expect(notesOf([3])).toMatch(/3 epochs,.* of the oldest 2 the lift/);
});
