import type { Group } from "#core/experiment";
import { reachableRange } from "#core/metrics";
import { adjustedLift } from "./adjusted-lift.js";
import {
	type PlannedMetric,
	placeOfReward,
	planOf,
	rankMetrics,
	UNPLANNED_UNITS,
} from "./analysis-plan.js";
import { answer } from "./answer.js";
import { bestSingleArm, summariseArms } from "./arm-summary.js";
import { summariseArmValues } from "./arm-values.js";
import { checkRun } from "./checks.js";
import type { ArmCounts } from "./counts.js";
import { coverFailed } from "./cover-failed.js";
import { ALPHA, liftEstimate } from "./estimate.js";
import { FOOTNOTES } from "./footnotes.js";
import { type GroupSummary, summariseGroup } from "./group-summary.js";
import { healthOf } from "./health.js";
import {
	compare,
	groupsOf,
	looksOver,
	type MetricSummary,
	meanOf,
	ofClosed,
	scaleOf,
	summariseMetric,
} from "./metric-summary.js";
import { metricsByArm } from "./metrics-by-arm.js";
import { notesOf } from "./notes.js";
import type { Report, ReportInput } from "./report.js";
import { summariseSegments } from "./segments.js";
import { timelineOf } from "./timeline.js";
import { fixedBaseline, uniformEpochs } from "./uniform-epochs.js";

export function makeReport(input: ReportInput): Report {
	const { definition, atStart, booked } = input;
	const { experiment, version, run, state, winner } = definition;
	const plan = planOf(atStart);
	const hasControl =
		atStart.traffic.control > 0 || experiment.traffic.control > 0;
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
	const scale = {
		plannedUnits: plan?.plannedUnits ?? UNPLANNED_UNITS,
		range: reachableRange(experiment.reward),
	};
	const armValues = summariseArmValues(booked, experiment);
	const drawn = uniformEpochs(booked, input.baselineOf);
	const best = bestSingleArm(
		armKeys,
		drawn.epochs.length > 0 ? drawn : booked,
		scale,
	);
	const [policy, control] = (["policy", "control"] as const).map((side) =>
		summariseGroup(booked, counts, side, scale),
	) as [GroupSummary, GroupSummary];
	const found = answer({
		primary,
		listeners: groupsOf(booked, planned.place).map(
			({ policy, control }) => policy.units + control.units,
		),
		plan,
		checks,
		broken: input.guardrails.filter(({ status }) => status === "broken"),
		state,
		hasControl,
	});
	const week1 = compare(
		groupsOf(booked, planned.place, "week1"),
		{ alpha: ALPHA, tau, range: planned.range },
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
		cohortLift: liftEstimate(ofClosed(week1), {
			alpha: ALPHA,
			footnote: "cohort",
		}),
		adjustedLift: adjustedLift(input, planned, tau),
		metrics: summaries,
		metricsByArm: metricsByArm(input, ranked),
		segments: summariseSegments(booked, atStart, planned, tau),
		armValues,
		guardrails: input.guardrails,
		checks,
		health: healthOf(input, armValues),
		timeline: timelineOf(
			tau === null ? [] : looksOver(booked, planned, tau),
			booked,
			input.marks,
		),
		policy,
		control,
		outside: { decisions: decisionsOf(counts, "outside") },
		bestSingleArm: best,
		...uniformExpected(input),
		arms: arms("policy"),
		controlArms: arms("control"),
		outsideArms: arms("outside"),
		deadLetters: input.deadLetters,
		waitingEvents: input.waitingEvents,
		footnotes: FOOTNOTES,
		notes: notesOf({ ...input, plan, best, countsOpen: input.open !== null }),
	});
}

/** Booked decisions and those still open, by group and arm. */
function countsByArm({ booked, open }: ReportInput): readonly ArmCounts[] {
	const sums = new Map<string, ArmCounts>();
	const closed = booked.hours.map(({ group, arm, decisions, learned }) => ({
		group: group === "guardrail" ? ("policy" as const) : group,
		arm,
		decisions,
		learned,
	}));
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

function uniformExpected({
	booked,
	baselineOf,
}: ReportInput): Pick<Report, "uniformExpected" | "uniformExpectedWithheld"> {
	const fixed = fixedBaseline(baselineOf);
	const uniform = uniformEpochs(booked, baselineOf);
	const { mean } = meanOf(uniform, placeOfReward(booked), "control");
	const reason =
		fixed !== null
			? `Control is always given ${fixed}, not an arm at random, so it does not tell what a uniform choice earns.`
			: mean === null
				? "No decision of the control group has been learned yet."
				: null;
	return {
		uniformExpected: reason === null ? mean : null,
		uniformExpectedWithheld: reason,
	};
}
