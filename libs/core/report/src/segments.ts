import { type BookedCounts, segmentSlice } from "#core/booking";
import type { Experiment } from "#core/experiment";
import type { PlannedMetric } from "./analysis-plan.js";
import { ALPHA, type Estimate, liftEstimate } from "./estimate.js";
import { compare, type GroupMean, groupsOf, meanOf } from "./metric-summary.js";

export interface SegmentSummary {
	readonly segment: string;
	readonly level: string;
	readonly policy: GroupMean;
	readonly control: GroupMean;
	/** Of the primary metric, at α over the number of levels of all segments. */
	readonly lift: Estimate;
}

/** The levels of the segments declared before the start. */
export function summariseSegments(
	booked: BookedCounts,
	atStart: Experiment,
	primary: PlannedMetric,
	tau: number | null,
): readonly SegmentSummary[] {
	const levels = (atStart.segments ?? []).flatMap((segment) =>
		levelsOf(atStart, segment).map((level) => ({ segment, level })),
	);
	const alpha = ALPHA / Math.max(1, levels.length);
	return levels.map(({ segment, level }) => {
		const slice = segmentSlice(segment, level);
		const found = compare(
			groupsOf(booked, primary.place, slice),
			{ alpha, tau, range: primary.range },
			atStart.traffic.control > 0,
		);
		return {
			segment,
			level,
			policy: meanOf(booked, primary.place, "policy", slice),
			control: meanOf(booked, primary.place, "control", slice),
			lift: liftEstimate(found, { alpha, footnote: "segment" }),
		};
	});
}

function levelsOf({ context }: Experiment, segment: string): readonly string[] {
	const feature = context.features.find(({ name }) => name === segment);
	if (feature?.kind === "category") return feature.levels;
	return feature?.kind === "boolean" ? ["true", "false"] : [];
}
