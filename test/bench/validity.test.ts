import { beforeAll, describe, expect, it } from "vitest";
import { delayOf } from "../../bench/validity/breach.js";
import { rampOf } from "../../bench/validity/epochs.js";
import { LISTENERS } from "../../bench/validity/listeners.js";
import { pausesOf } from "../../bench/validity/pauses.js";
import {
	caseRows,
	delayRows,
	goalsOf,
	mostWrong,
	pauseRows,
	rampRows,
} from "../../bench/validity/rows.js";
import { type RunFindings, simulate } from "../../bench/validity/simulate.js";
import { standardErrorsOf } from "../../bench/validity/standard-errors.js";
import { widthsOf } from "../../bench/validity/width.js";
import type { Scenario } from "../../bench/validity/world.js";

const SEED = 20261126;
/** Of each kind of listeners. */
const RUNS = 15;
/** A busy machine plays them several times slower. */
const PATIENCE = 180_000;

const scenario: Scenario = {
	arms: "differ",
	K: 4,
	listeners: "iid",
	decisions: 10_000,
	units: 1_000,
	control: 0.4,
	explore: 0.05,
	looks: 500,
};

const seeds = (runs: number) =>
	Array.from({ length: runs }, (_, i) => SEED + i);
const share = <Run>(runs: readonly Run[], is: (run: Run) => boolean) =>
	runs.filter(is).length / runs.length;

describe(`where the truth is known (SEED=${SEED})`, () => {
	for (const arms of ["equal", "differ"] as const) {
		const runs: RunFindings[] = [];

		beforeAll(() => {
			LISTENERS.forEach((listeners, kind) => {
				for (const seed of seeds(RUNS))
					runs.push(
						simulate({ ...scenario, arms, listeners }, seed + 1_000 * kind),
					);
			});
		}, PATIENCE);

		it(`lift, arm values and guardrails are wrong in no more runs than they may be: arms ${arms}`, () => {
			const most = mostWrong(runs.length);
			expect(share(runs, ({ lift }) => lift.wasShown)).toBe(1);
			for (const isWrong of [
				({ lift }: RunFindings) => lift.missed,
				({ arms }: RunFindings) => arms.missed > 0,
				({ wasPaused }: RunFindings) => wasPaused,
			])
				expect(share(runs, isWrong)).toBeLessThanOrEqual(most);
		});

		it(`the usual readings of the same runs are: arms ${arms}`, () => {
			const most = mostWrong(runs.length);
			expect(
				share(runs, ({ lift }) => lift.missedOverDecisions),
			).toBeGreaterThan(most);
			expect(share(runs, ({ lift }) => lift.missedOverDays)).toBeGreaterThan(
				most,
			);
			expect(
				share(runs, ({ lift }) => lift.missedAtFixedHorizon),
			).toBeGreaterThan(2 * most);
			if (arms === "differ")
				expect(
					share(runs, ({ arms: { naiveMissed } }) => naiveMissed > 0),
				).toBe(1);
		});
	}

	it("every arm is shown in time, with a standard error near that of control's rows alone or below", () => {
		const { overControlMean, overControlScores } = standardErrorsOf(
			{ ...scenario, K: 12, explore: 0.02, decisions: 60_000 },
			SEED,
		);
		expect(overControlMean).toHaveLength(12);
		for (const ratio of [...overControlMean, ...overControlScores])
			expect(ratio).toBeLessThanOrEqual(1.15);
	});

	it("the lift's interval is 1.58 fixed-horizon widths at the planned size, 1.75 from a quarter to 25 times the information", () => {
		const { planned, around } = widthsOf(
			{ ...scenario, decisions: 20_000, units: 2_000 },
			SEED,
		);
		expect(planned).toBeGreaterThan(1.5);
		expect(planned).toBeLessThanOrEqual(1.58);
		expect(around).toBeGreaterThan(1.6);
		expect(around).toBeLessThanOrEqual(1.75);
	});

	it("sums pooled over a change of control's share are wrong, the lift over epochs is not", () => {
		const ramp = {
			units: 2_000,
			decisions: 10_000,
			controls: [0.1, 0.5],
			drift: 0.3,
			gain: 0.1,
		} as const;
		const runs = seeds(40).map((seed) => rampOf(ramp, seed));
		expect(share(runs, ({ missed }) => missed)).toBeLessThanOrEqual(
			mostWrong(40),
		);
		expect(share(runs, ({ missedPooled }) => missedPooled)).toBeGreaterThan(
			0.9,
		);
		expect(rampRows(runs).map(({ against }) => against)).toHaveLength(3);
	});

	it("an experiment that was paused four times is wrong no more often, and as narrow as if it had not been: runs taken apart are wider", () => {
		const paused = {
			units: 2_000,
			decisions: 10_000,
			control: 0.2,
			pauses: 4,
			swing: 0.2,
			gain: 0.1,
		};
		const runs = LISTENERS.flatMap((listeners, kind) =>
			seeds(20).map((seed) =>
				pausesOf({ ...paused, listeners }, seed + 1_000 * kind),
			),
		);
		expect(share(runs, ({ missed }) => missed)).toBeLessThanOrEqual(
			mostWrong(runs.length),
		);
		const [, , width] = pauseRows("iid", runs.slice(0, 20));
		expect(width?.baseline).toBeGreaterThan(1.3);
		// Five runs, between which listeners are all the same: √5 at most.
		expect(width?.baseline).toBeLessThan(Math.sqrt(5) + 0.1);
	});

	it("a guardrail finds a breach of five points within 1,700 matured decisions in nearly all runs", () => {
		const breach = { excess: 0.05, units: 5_000, decisions: 20_000 };
		const delays = seeds(100).map((seed) => delayOf(breach, seed));
		expect(share(delays, (delay) => delay <= 1_700)).toBeGreaterThanOrEqual(
			0.93,
		);
		expect(
			delayRows(0.05, 0.35, delays).map(({ baseline }) => baseline),
		).toEqual([1_012, 1_012, 1_700]);
	});

	it("the same seed plays the same run", () => {
		const short = { ...scenario, decisions: 2_000 };
		expect(simulate(short, 7)).toEqual(simulate(short, 7));
		expect(simulate(short, 7)).not.toEqual(simulate(short, 8));
		expect(caseRows(short, [simulate(short, 7)])).toHaveLength(8);
	});
});

it("holds each row to its bound, and no reading that others would have made", () => {
	const row = (against: string, ours: number) => ({
		...{ name: "width", ours, baseline: 2, ratio: ours / 2, unit: "times" },
		against,
	});
	const bounded = { name: "width", is: "at most", bound: 2, unit: "times" };
	expect(
		goalsOf([
			row("α + 2 SE", 1),
			row("most that is allowed", 2.4),
			row("raw means, at the end", 9),
		]),
	).toEqual([
		{ ...bounded, value: 1 },
		{ ...bounded, value: 2.4 },
	]);
});
