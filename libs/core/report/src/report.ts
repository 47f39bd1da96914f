import type { BookedCounts } from "#core/booking";
import type { Definition, Experiment, ExperimentState } from "#core/experiment";
import type { PlanSummary } from "./analysis-plan.js";
import type { Answer } from "./answer.js";
import type { ArmSummary, SingleArm } from "./arm-summary.js";
import type { ArmValueSummary } from "./arm-values.js";
import type { CheckSummary } from "./checks.js";
import type { ArmCounts } from "./counts.js";
import type { Estimate } from "./estimate.js";
import type { Footnote } from "./footnotes.js";
import type { GroupSummary } from "./group-summary.js";
import type { Health } from "./health.js";
import type { MetricSummary } from "./metric-summary.js";
import type { MetricByArm } from "./metrics-by-arm.js";
import type { SegmentSummary } from "./segments.js";
import type { GuardrailSummary, Mark, Timeline } from "./timeline.js";
import type { Baselines } from "./uniform-epochs.js";

export interface Freshness {
	/** Everything stored up to this revision is counted. */
	readonly revision: number;
	/** Milliseconds since the epoch; null where nothing was decided. */
	readonly firstDecidedAt: number | null;
	readonly lastDecidedAt: number | null;
	/** Lift and values tell of the decisions before this, whose windows are closed; null before the first. */
	readonly closedUntil: number | null;
	/** Decisions in the log that lift and values do not tell of yet. */
	readonly waiting: number;
}

/** What a run of an experiment did and was worth. */
export interface Report {
	readonly experiment: string;
	readonly name: string;
	readonly hypothesis: string;
	readonly owner: string;
	readonly version: number;
	readonly run: number;
	readonly state: ExperimentState;
	readonly winner: string | null;
	readonly answer: Answer;
	/** The answer's, for whoever reads no further. */
	readonly sentence: string;
	readonly freshness: Freshness;
	/** Null: none was declared. */
	readonly plan: PlanSummary | null;
	/** Of the primary metric: policy − control, over epochs. */
	readonly lift: Estimate;
	/** The same as a fraction of control's mean. */
	readonly relativeLift: Estimate;
	/** Of the primary metric over each unit's first 7 days, once these are over. */
	readonly cohortLift: Estimate;
	/** Adjusted by the covariate. */
	readonly adjustedLift: Estimate;
	readonly metrics: readonly MetricSummary[];
	/** Of each metric, among control's decisions. */
	readonly metricsByArm: readonly MetricByArm[];
	readonly segments: readonly SegmentSummary[];
	readonly armValues: readonly ArmValueSummary[];
	readonly guardrails: readonly GuardrailSummary[];
	readonly checks: readonly CheckSummary[];
	readonly health: Health;
	readonly timeline: Timeline;
	/** Rewards per learned decision, over decisions whose windows are closed. */
	readonly policy: GroupSummary;
	readonly control: GroupSummary;
	/** Logged, never learned. */
	readonly outside: { readonly decisions: number };
	readonly bestSingleArm: SingleArm;
	/** What a uniform choice earns: control's mean, where control is uniform. */
	readonly uniformExpected: number | null;
	/** Why there is no uniformExpected. */
	readonly uniformExpectedWithheld: string | null;
	/** The policy group's, all decisions there are. */
	readonly arms: readonly ArmSummary[];
	readonly controlArms: readonly ArmSummary[];
	readonly outsideArms: readonly ArmSummary[];
	readonly deadLetters: number;
	readonly waitingEvents: number;
	readonly footnotes: readonly Footnote[];
	/** What a reader must know to read the numbers rightly. */
	readonly notes: readonly string[];
}

/** All that a report is made of. */
export interface ReportInput {
	readonly definition: Definition;
	/** As it stood when the run began: its plan is the one that counts. */
	readonly atStart: Experiment;
	/** Whether a policy served listeners before that, in an earlier run or version. */
	readonly servedBefore: boolean;
	/** Whether it was `sticky: unit` from then to now, through all edits: every listener kept an arm. */
	readonly isStickyByUnit: boolean;
	/** Whether through all edits since then the policy was of one kind, and if it is fixed of one arm. */
	readonly hasOnePolicy: boolean;
	/** Share of control by epoch of the run. */
	readonly controlOf: ReadonlyMap<number, number>;
	readonly baselineOf: Baselines;
	readonly booked: BookedCounts;
	/** Decisions that are not booked yet, by arm and group; null where they are too many to count now. */
	readonly open: readonly ArmCounts[] | null;
	/** Milliseconds since the epoch; null where nothing was decided. */
	readonly firstDecidedAt: number | null;
	readonly lastDecidedAt: number | null;
	readonly guardrails: readonly GuardrailSummary[];
	readonly marks: readonly Mark[];
	readonly lateEvents: number;
	readonly missing: Health["missing"];
	readonly lostPacks: number;
	readonly deadLetters: number;
	readonly waitingEvents: number;
}
