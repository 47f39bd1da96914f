import type { BookedCounts, Side } from "#core/booking";
import { mixtureScale, type Range, whyRare } from "#core/statistics";
import { placeOfReward } from "./analysis-plan.js";
import type { ArmCounts } from "./counts.js";
import {
	ALPHA,
	type Estimate,
	halfWidth,
	shownEstimate,
	withheldEstimate,
} from "./estimate.js";
import { meanOf } from "./metric-summary.js";

/** What a group earned: decisions as of now; n, units and mean of those whose windows are closed. */
export interface GroupSummary extends Omit<Estimate, "estimate"> {
	/** All decisions of the group. */
	readonly decisions: number;
	/** Closed decisions that taught. */
	readonly n: number;
	/** Units with at least one of those: in the epoch that has most. */
	readonly units: number;
	/** Reward per learned decision; null where n is 0. */
	readonly mean: number | null;
}

const KIND = { alpha: ALPHA, footnote: "ratio" } as const;
/** A group's mean has an interval from so many units on. */
const LEAST_UNITS = 100;

/** Of a mean of rewards: what its sequence is narrowest for, and what it cannot pass. */
export interface MeanScale {
	readonly plannedUnits: number;
	readonly range: Range;
}

export function summariseGroup(
	booked: BookedCounts,
	counts: readonly ArmCounts[],
	side: Side,
	scale: MeanScale,
): GroupSummary {
	const place = placeOfReward(booked);
	const { units, n, mean, standardError } = meanOf(booked, place, side);
	const { estimate: _, ...interval } = meanInterval(
		{ mean, standardError, units },
		side,
		scale,
	);
	return {
		decisions: counts.reduce(
			(sum, { group, decisions }) => sum + (group === side ? decisions : 0),
			0,
		),
		n,
		units,
		mean,
		...interval,
	};
}

/** The sequence in the clock of units: 1/SE² grows with them. */
export function meanInterval(
	{
		mean,
		standardError,
		units,
	}: {
		readonly mean: number | null;
		readonly standardError: number | null;
		readonly units: number;
	},
	side: Side,
	{ plannedUnits, range }: MeanScale,
): Estimate {
	if (mean === null)
		return withheldEstimate(
			`No decision of the ${side} group has a closed window yet.`,
			KIND,
		);
	if (standardError === null || units < LEAST_UNITS)
		return withheldEstimate(
			`not enough listeners yet: ${units} in the ${side} group, where ${LEAST_UNITS} are needed`,
			KIND,
			mean,
		);
	if (standardError === 0)
		return withheldEstimate(
			"All units earned the same per decision so far.",
			KIND,
			mean,
		);
	const rare = whyRare(
		side === "policy" ? "the policy" : "control",
		{ units, ratio: mean, variance: standardError ** 2 },
		range,
	);
	if (rare !== null) return withheldEstimate(rare, KIND, mean);
	// That of the planned size, from the spread as it is now.
	const tau = mixtureScale(standardError * Math.sqrt(units / plannedUnits));
	const half = halfWidth(standardError, tau, ALPHA);
	return shownEstimate(
		{ estimate: mean, standardError, low: mean - half, high: mean + half },
		KIND,
	);
}
