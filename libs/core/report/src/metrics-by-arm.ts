import { armSlice } from "#core/booking";
import type { Per } from "#core/metrics";
import type { MetricRole } from "./analysis-plan.js";
import { knownArms } from "./known-arms.js";
import { type GroupMean, meanOf } from "./metric-summary.js";
import type { ReportInput } from "./report.js";
import { fixedBaseline, uniformEpochs } from "./uniform-epochs.js";

/** One metric of one arm, among control's decisions, whose arms are drawn uniformly. */
export interface ArmMetric extends GroupMean {
	readonly arm: string;
	/** Why there is no mean; null where there is, or n is 0. */
	readonly withheld: string | null;
}

export interface MetricByArm {
	readonly metric: string;
	readonly role: MetricRole;
	readonly arms: readonly ArmMetric[];
}

/** What is told of a listener rather than of a decision. */
const OF_UNITS: readonly Per[] = ["session", "unit", "closed unit"];
/** A mean of fewer is one of a few listeners, and is read as more than that. */
const LEAST_UNITS = 30;

const SEVERAL_ARMS =
	"a listener is given several arms, so that it cannot be told which of them it was";

/** The arms of a metric beside each other. The policy's own rows are left out: it gives an arm to whom it suits, so that their means differ by that. */
export function metricsByArm(
	{
		booked,
		baselineOf,
		isStickyByUnit,
		definition,
	}: Pick<
		ReportInput,
		"booked" | "baselineOf" | "isStickyByUnit" | "definition"
	>,
	metrics: readonly {
		readonly metric: string;
		readonly role: MetricRole;
		readonly place: number;
	}[],
): readonly MetricByArm[] {
	const arms = knownArms(
		definition.experiment.arms.map(({ key }) => key),
		booked,
	);
	const uniform = uniformEpochs(booked, baselineOf);
	const fixed = fixedBaseline(baselineOf);
	return metrics.map(({ metric, role, place }) => {
		const per = booked.metrics[place]?.per;
		const withheld =
			fixed !== null
				? `control is always given ${fixed}, so its decisions tell nothing of other arms`
				: per !== undefined && OF_UNITS.includes(per) && !isStickyByUnit
					? `${SEVERAL_ARMS}; with sticky: unit it can`
					: null;
		return {
			metric,
			role,
			arms: arms.map((arm) => {
				const mean = meanOf(uniform, place, "control", armSlice(arm));
				const few =
					mean.units < LEAST_UNITS
						? `not enough listeners yet: ${mean.units}, where ${LEAST_UNITS} are needed`
						: null;
				const why = withheld ?? few;
				return why === null
					? { arm, ...mean, withheld: null }
					: {
							arm,
							...mean,
							sum: null,
							mean: null,
							standardError: null,
							withheld: why,
						};
			}),
		};
	});
}
