import type { BookedCounts } from "#core/booking";
import type {
	Definition,
	Experiment,
	ExperimentState,
	Group,
} from "#core/experiment";
import { adjustedLift } from "./adjusted-lift.js";
import {
	type PlannedMetric,
	type PlanSummary,
	planOf,
	rankMetrics,
	UNPLANNED_UNITS,
} from "./analysis-plan.js";
import { type Answer, answer } from "./answer.js";
import {
	type ArmSummary,
	bestSingleArm,
	type SingleArm,
	summariseArms,
} from "./arm-summary.js";
import { type ArmValueSummary, summariseArmValues } from "./arm-values.js";
import { type CheckSummary, checkRun } from "./checks.js";
import type { ArmCounts } from "./counts.js";
import { coverFailed } from "./cover-failed.js";
import { ALPHA, type Estimate, liftEstimate } from "./estimate.js";
import { FOOTNOTES, type Footnote } from "./footnotes.js";
import { type GroupSummary, summariseGroup } from "./group-summary.js";
import {
	compare,
	groupsOf,
	looksOver,
	type MetricSummary,
	scaleOf,
	summariseMetric,
} from "./metric-summary.js";
import { notesOf } from "./notes.js";
import { type SegmentSummary, summariseSegments } from "./segments.js";
import {
	type GuardrailSummary,
	type Mark,
	type Timeline,
	timelineOf,
} from "./timeline.js";

export interface Health {
	/** The least share of the policy's decisions that any active arm was given, in [0, 1]; null without decisions. */
	readonly exploration: number | null;
	/** Booked decisions that came or changed too late for the arms' values. */
	readonly unbooked: number;
	readonly lateEvents: number;
	/** Share of decisions without a value, by feature, in [0, 1]; where there are decisions to tell. */
	readonly missing: { readonly [feature: string]: number };
	/** Of the whole installation. */
	readonly deadLetters: number;
	readonly waitingEvents: number;
}

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
	/** Share of control by epoch of the run. */
	readonly controlOf: ReadonlyMap<number, number>;
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

export function makeReport(input: ReportInput): Report {
	const { definition, atStart, booked } = input;
	const { experiment, version, run, state, winner } = definition;
	const plan = planOf(atStart);
	const hasControl = atStart.traffic.control > 0;
	const ranked = rankMetrics(experiment, atStart, booked);
	const summaries = ranked.map((metric) =>
		summariseMetric(booked, metric, plan, hasControl),
	);
	const primary = summaries[0] as MetricSummary;
	const planned = ranked[0] as PlannedMetric;
	const tau = scaleOf(booked, planned, plan);
	const checks = checkRun({ ...input, lift: primary.lift });
	const armKeys = experiment.arms.map(({ key }) => key);
	const counts = countsByArm(input);
	const arms = (group: Group) => summariseArms(armKeys, counts, group);
	const best = bestSingleArm(
		armKeys,
		booked,
		plan?.plannedUnits ?? UNPLANNED_UNITS,
	);
	const [policy, control] = (["policy", "control"] as const).map((side) =>
		summariseGroup(booked, counts, side, plan?.plannedUnits ?? UNPLANNED_UNITS),
	) as [GroupSummary, GroupSummary];
	const found = answer({
		primary,
		plan,
		checks,
		brokenGuardrails: input.guardrails
			.filter(({ status }) => status === "broken")
			.map(({ sentence }) => sentence),
		state,
		winner,
	});
	const week1 = compare(
		groupsOf(booked, planned.place, "week1"),
		tau,
		ALPHA,
		hasControl,
	);
	return coverFailed({
		experiment: experiment.key,
		name: experiment.name,
		hypothesis: experiment.hypothesis,
		owner: experiment.owner,
		version,
		run,
		state,
		winner,
		answer: found,
		sentence: found.sentence,
		freshness: {
			revision: booked.freshness.revision,
			firstDecidedAt: input.firstDecidedAt,
			lastDecidedAt: input.lastDecidedAt,
			closedUntil: booked.freshness.bookedUpTo,
			waiting: booked.freshness.waiting,
		},
		plan,
		lift: primary.lift,
		relativeLift: primary.relativeLift,
		cohortLift: liftEstimate(week1, { alpha: ALPHA, footnote: "cohort" }),
		adjustedLift: adjustedLift(booked, planned.place, tau, atStart.covariate),
		metrics: summaries,
		segments: summariseSegments(booked, atStart, planned, tau),
		armValues: summariseArmValues(booked, experiment),
		guardrails: input.guardrails,
		checks,
		health: healthOf(input, arms("policy")),
		timeline: timelineOf(
			tau === null ? [] : looksOver(booked, planned.place, tau),
			booked,
			input.marks,
		),
		policy,
		control,
		outside: { decisions: decisionsOf(counts, "outside") },
		bestSingleArm: best,
		...uniformExpected(atStart.traffic.baseline, control),
		arms: arms("policy"),
		controlArms: arms("control"),
		outsideArms: arms("outside"),
		deadLetters: input.deadLetters,
		waitingEvents: input.waitingEvents,
		footnotes: FOOTNOTES,
		notes: notesOf({ ...input, plan, best }),
	});
}

/** Booked decisions and those still open, by group and arm. */
function countsByArm({ booked, open }: ReportInput): readonly ArmCounts[] {
	const sums = new Map<string, ArmCounts>();
	const closed = booked.hours.map(
		({ group, arm, decisions, learned, reward }) => ({
			group: group === "guardrail" ? ("policy" as const) : group,
			arm,
			decisions,
			learned,
			rewardSum: reward,
		}),
	);
	for (const row of [...closed, ...(open ?? [])]) {
		const key = `${row.group}\n${row.arm}`;
		const sum = sums.get(key);
		sums.set(
			key,
			sum === undefined
				? row
				: {
						...row,
						decisions: sum.decisions + row.decisions,
						learned: sum.learned + row.learned,
						rewardSum: sum.rewardSum + row.rewardSum,
					},
		);
	}
	return [...sums.values()];
}

function decisionsOf(counts: readonly ArmCounts[], group: Group): number {
	return counts.reduce(
		(sum, row) => (row.group === group ? sum + row.decisions : sum),
		0,
	);
}

function healthOf(
	{ definition, booked, ...input }: ReportInput,
	arms: readonly ArmSummary[],
): Health {
	const active = new Set(
		definition.experiment.arms
			.filter(({ state }) => state === undefined)
			.map(({ key }) => key),
	);
	const shares = arms
		.filter(({ arm }) => active.has(arm))
		.map(({ share }) => share);
	return {
		exploration: arms.some(({ decisions }) => decisions > 0)
			? Math.min(...shares)
			: null,
		unbooked: booked.freshness.unbooked,
		lateEvents: input.lateEvents,
		missing: input.missing,
		deadLetters: input.deadLetters,
		waitingEvents: input.waitingEvents,
	};
}

function uniformExpected(
	baseline: string,
	control: GroupSummary,
): Pick<Report, "uniformExpected" | "uniformExpectedWithheld"> {
	const reason =
		baseline !== "uniform"
			? `Control is always given ${baseline}, not an arm at random, so it does not tell what a uniform choice earns.`
			: control.mean === null
				? "No decision of the control group has been learned yet."
				: null;
	return {
		uniformExpected: reason === null ? control.mean : null,
		uniformExpectedWithheld: reason,
	};
}
