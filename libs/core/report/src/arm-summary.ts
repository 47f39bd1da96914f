import type { Group } from "#core/experiment";
import type { ArmCounts, ReportCounts } from "./counts.js";
import { type Estimate, interval, withheld } from "./interval.js";
import { ratioOfSums } from "./ratio-of-sums.js";

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
	/** Reward per learned decision; null where n is 0. */
	readonly mean: number | null;
}

/** One group's arms, those of the definition first and in its order. */
export function summariseArms(
	armKeys: readonly string[],
	counts: ReportCounts,
	group: Group,
): ArmSummary[] {
	const own = counts.arms.filter((row) => row.group === group);
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
			mean:
				row === undefined || row.learned === 0
					? null
					: row.rewardSum / row.learned,
		};
	});
}

export interface SingleArm extends Omit<Estimate, "estimate"> {
	/** Null where control has learned nothing. */
	readonly arm: string | null;
	/** Reward per learned decision of the arm among control's rows. */
	readonly mean: number | null;
	readonly n: number;
}

/** The arm with the highest mean among control's rows (the first of equals): what always showing one arm would have earned. */
export function bestSingleArm(
	armKeys: readonly string[],
	counts: ReportCounts,
): SingleArm {
	let best: ArmSummary | null = null;
	for (const summary of summariseArms(armKeys, counts, "control"))
		if (
			summary.mean !== null &&
			(best?.mean == null || summary.mean > best.mean)
		)
			best = summary;
	if (best === null)
		return {
			arm: null,
			n: 0,
			...asMean(
				withheld("No decision of the control group has been learned yet."),
			),
		};
	return { arm: best.arm, n: best.n, ...asMean(meanOfArm(best, counts)) };
}

function asMean({ estimate, ...rest }: Estimate): Omit<SingleArm, "arm" | "n"> {
	return { mean: estimate, ...rest };
}

function meanOfArm({ arm, mean }: ArmSummary, counts: ReportCounts): Estimate {
	const moments = counts.armUnits?.find(
		(row) => row.group === "control" && row.arm === arm,
	);
	if (moments === undefined)
		return overDecisions(
			counts.arms.find(
				(row) => row.group === "control" && row.arm === arm,
			) as ArmCounts,
		);
	const measured = ratioOfSums(moments);
	if (measured === null)
		return withheld(
			"One unit only was given this arm; an interval needs two.",
			mean,
		);
	if (measured.variance === 0)
		return withheld("All its units earned the same per decision so far.", mean);
	return interval(measured.mean, measured.variance, measured.observations - 1);
}

/** Mean and interval with the decision as the observation: too narrow where units come back often. */
function overDecisions({
	learned: n,
	rewardSum,
	rewardSquaredSum,
}: ArmCounts): Estimate {
	const mean = rewardSum / n;
	if (n < 2)
		return withheld(
			"One learned decision only; an interval needs two.",
			mean,
			"decision",
		);
	const variance =
		Math.max(0, rewardSquaredSum - n * mean * mean) / (n - 1) / n;
	if (variance === 0)
		return withheld(
			"All its decisions earned the same so far.",
			mean,
			"decision",
		);
	return interval(mean, variance, n - 1, "decision");
}
