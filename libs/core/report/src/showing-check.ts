import type { BookedCounts } from "#core/booking";
import { chiSquareTail } from "#core/statistics";
import type { CheckSummary } from "./checks.js";
import { said } from "./said.js";
import {
	type Baselines,
	fixedBaseline,
	uniformEpochs,
} from "./uniform-epochs.js";

/** It is looked at again and again with a test for one look: only what is far beyond chance is told. */
const ALARM = 1e-6;
/** Of the cells that a χ² is near its distribution for. */
const LEAST_EXPECTED = 5;

/**
 * Whether showing depends on the arm: what is learned and compared takes for granted that it does not. Among control's decisions where
 * these are drawn uniformly, since a policy's arms go with their context, and so does what is shown.
 */
export function checkShowing(
	booked: BookedCounts,
	baselineOf: Baselines,
): CheckSummary {
	const { hours, draws } = uniformEpochs(booked, baselineOf);
	const fixed = fixedBaseline(baselineOf);
	const about = {
		check: "showing",
		covers: ["values of arms"],
		footnote: "impression-rate",
	} as const;
	const byArm = new Map<string, { decisions: number; shown: number }>();
	for (const { group, arm, decisions, shown } of hours) {
		if (group !== "control") continue;
		const sum = byArm.get(arm) ?? { decisions: 0, shown: 0 };
		sum.decisions += decisions;
		sum.shown += shown;
		byArm.set(arm, sum);
	}
	const arms = [...byArm.values()];
	const decisions = arms.reduce((sum, arm) => sum + arm.decisions, 0);
	const shown = arms.reduce((sum, arm) => sum + arm.shown, 0);
	const expected = arms.map((arm) =>
		[shown, decisions - shown].map(
			(column) => (arm.decisions * column) / decisions,
		),
	);
	const eligible = new Set(
		draws
			.filter(({ group }) => group === "control")
			.map(({ epoch, eligible }) => `${epoch} ${eligible}`),
	);
	const epochs = new Set(draws.map(({ epoch }) => epoch));
	if (eligible.size > epochs.size)
		return {
			...about,
			status: "not enough evidence",
			pValue: null,
			sentence:
				"Arms are not eligible alike, so they are shown in different contexts, and whether showing depends on the arm cannot be told.",
		};
	if (
		fixed !== null ||
		arms.length < 2 ||
		expected.flat().some((cell) => !(cell >= LEAST_EXPECTED))
	)
		return {
			...about,
			status: "not enough evidence",
			pValue: null,
			sentence:
				fixed !== null
					? "Control always gets the same arm, so it cannot tell whether showing depends on the arm."
					: shown === decisions && decisions > 0
						? "Every decision of control was shown."
						: "Control has too few decisions by arm to tell.",
		};
	const squares = arms.reduce((sum, arm, i) => {
		const [yes, no] = expected[i] as [number, number];
		return (
			sum +
			(arm.shown - yes) ** 2 / yes +
			(arm.decisions - arm.shown - no) ** 2 / no
		);
	}, 0);
	const pValue = chiSquareTail(squares, arms.length - 1);
	const rates = arms.map((arm) => arm.shown / arm.decisions);
	return {
		...about,
		status: pValue < ALARM ? "failed" : "passed",
		pValue,
		sentence: `Of control's decisions ${said(100 * Math.min(...rates))} to ${said(100 * Math.max(...rates))} % were shown, by arm${pValue < ALARM ? ": showing depends on the arm, so what was not shown is no chance" : ""}.`,
	};
}
