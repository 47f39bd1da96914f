import { armSlice, type BookedCounts } from "#core/booking";
import type { Group } from "#core/experiment";
import { placeOfReward } from "./analysis-plan.js";
import type { ArmCounts } from "./counts.js";
import { ALPHA, type Estimate, withheldEstimate } from "./estimate.js";
import { type MeanScale, meanInterval } from "./group-summary.js";
import { knownArms } from "./known-arms.js";
import { meanOf } from "./metric-summary.js";

/** How often an arm was given, not what it earned: a mean over decisions that a learning policy chose is biased, `armValues` are not. */
export interface ArmSummary {
	readonly arm: string;
	/** In the log, but no longer in the definition. */
	readonly retired: boolean;
	/** Decisions of the group that chose the arm. */
	readonly decisions: number;
	/** Of the group's decisions, in [0, 1]; 0 where it has none. */
	readonly share: number;
	/** Decisions that taught (the arm was shown). */
	readonly n: number;
}

/** One group's arms, those of the definition first and in its order. */
export function summariseArms(
	armKeys: readonly string[],
	counts: readonly ArmCounts[],
	group: Group,
): ArmSummary[] {
	const own = counts.filter((row) => row.group === group);
	const total = own.reduce((sum, { decisions }) => sum + decisions, 0);
	const retired = own
		.map(({ arm }) => arm)
		.filter((arm) => !armKeys.includes(arm));
	return [...armKeys, ...retired].map((arm) => {
		const row = own.find((counted) => counted.arm === arm);
		return {
			arm,
			retired: !armKeys.includes(arm),
			decisions: row?.decisions ?? 0,
			share: row === undefined || total === 0 ? 0 : row.decisions / total,
			n: row?.learned ?? 0,
		};
	});
}

export interface SingleArm extends Omit<Estimate, "estimate"> {
	/** Null where control has learned nothing. */
	readonly arm: string | null;
	/** Reward per learned decision of the arm among control's closed decisions. */
	readonly mean: number | null;
	readonly n: number;
}

/** The arm with the highest mean among control's rows (the first of equals): what always showing one arm would have earned. */
export function bestSingleArm(
	armKeys: readonly string[],
	booked: BookedCounts,
	scale: MeanScale,
): SingleArm {
	const place = placeOfReward(booked);
	let best: { arm: string; of: ReturnType<typeof meanOf> } | null = null;
	for (const arm of knownArms(armKeys, booked)) {
		const of = meanOf(booked, place, "control", armSlice(arm));
		if (of.mean !== null && (best?.of.mean == null || of.mean > best.of.mean))
			best = { arm, of };
	}
	const { estimate: mean, ...interval } =
		best === null
			? withheldEstimate(
					"No decision of the control group has a closed window yet.",
					{ alpha: ALPHA, footnote: "ratio" },
				)
			: meanInterval(best.of, "control", scale);
	return { arm: best?.arm ?? null, n: best?.of.n ?? 0, mean, ...interval };
}
