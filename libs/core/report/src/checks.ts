import type { BookedCounts } from "#core/booking";
import type { Experiment } from "#core/experiment";
import type { Estimate } from "./estimate.js";
import type { FootnoteId } from "./footnotes.js";
import { checkLostRows } from "./lost-rows-check.js";
import { said } from "./said.js";
import { checkSampleRatio } from "./sample-ratio-check.js";
import { checkShowing } from "./showing-check.js";
import { checkShownAlike } from "./shown-alike-check.js";
import type { Baselines } from "./uniform-epochs.js";

export interface CheckSummary {
	readonly check: string;
	readonly status: "passed" | "failed" | "not enough evidence";
	/** Null where the check is no test. */
	readonly pValue: number | null;
	readonly sentence: string;
	/** What must not be read while it fails. */
	readonly covers: readonly Covered[];
	readonly footnote: FootnoteId;
}

export type Covered =
	| "lift"
	| "segments"
	| "values of arms"
	| "metrics"
	/** Those of decisions that an event proves to have been shown: per impression, play or another event. */
	| "metrics of what was shown";

export interface CheckedRun {
	readonly booked: BookedCounts;
	readonly atStart: Experiment;
	readonly hasOnePolicy: boolean;
	/** Share of control by epoch. */
	readonly controlOf: ReadonlyMap<number, number>;
	readonly baselineOf: Baselines;
	/** Packs of decisions that were published and never came, of the whole installation. */
	readonly lostPacks: number;
	readonly lift: Estimate;
}

/** Of units in both groups: fewer are listeners whose id changed between two requests. */
const MOST_IN_BOTH = 0.001;

export function checkRun(run: CheckedRun): readonly CheckSummary[] {
	return [
		checkSampleRatio(run.booked, run.controlOf),
		checkLostRows(run.booked, run.lostPacks),
		checkBothGroups(run.booked),
		checkShowing(run.booked, run.baselineOf),
		checkShownAlike(run.booked, run.atStart),
		...checkSameForAll(run),
	];
}

/** The split is a hash of the unit, so none can be in both groups of an epoch unless something is wrong. */
function checkBothGroups({ epochs }: BookedCounts): CheckSummary {
	const inBoth = epochs.reduce((sum, epoch) => sum + epoch.inBoth, 0);
	const all = epochs.reduce(
		(sum, { firstIn }) => sum + firstIn.policy + firstIn.control,
		0,
	);
	return {
		check: "units in both groups",
		status:
			all === 0
				? "not enough evidence"
				: inBoth > MOST_IN_BOTH * all
					? "failed"
					: "passed",
		pValue: null,
		sentence: `${inBoth.toLocaleString("en-US")} of ${all.toLocaleString("en-US")} listeners were in the policy group and in control within one epoch.`,
		covers: ["lift", "segments", "metrics"],
		footnote: "both-groups",
	};
}

/** A/A: where the policy does what control does, a lift says that the comparison is wrong. */
function checkSameForAll({
	atStart: { policy },
	hasOnePolicy,
	baselineOf,
	lift,
}: CheckedRun): readonly CheckSummary[] {
	const served =
		policy.kind === "fixed"
			? policy.arm
			: policy.kind === "uniform"
				? "uniform"
				: null;
	const isSame = [...baselineOf.values()].every(
		(baseline) => baseline === served,
	);
	if (!hasOnePolicy || !isSame) return [];
	const { low, high } = lift;
	const isKnown = low !== null && high !== null;
	const isWrong = isKnown && (low > 0 || high < 0);
	return [
		{
			check: "A/A",
			status: !isKnown ? "not enough evidence" : isWrong ? "failed" : "passed",
			pValue: null,
			sentence: !isKnown
				? "Policy and control do the same; whether they look the same cannot be told yet."
				: `Policy and control do the same, and the interval of their difference, ${said(low)} to ${said(high)}, ${isWrong ? "leaves out" : "holds"} zero.`,
			covers: ["lift", "segments", "metrics"],
			footnote: "lift",
		},
	];
}
