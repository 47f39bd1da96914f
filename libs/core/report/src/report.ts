import type { Definition, ExperimentState, Group } from "#core/experiment";
import {
	type ArmSummary,
	bestSingleArm,
	type SingleArm,
	summariseArms,
} from "./arm-summary.js";
import type { ReportCounts } from "./counts.js";
import { type Estimate, interval, withheld } from "./interval.js";
import { notesOf, sentenceOf } from "./notes.js";
import { ratioOfSums } from "./ratio-of-sums.js";
import { absoluteLift, relativeLift, type Side } from "./uplift.js";

/** What one version of an experiment did and was worth, up to `revision`. Means are rewards per learned decision. */
export interface Report {
	readonly experiment: string;
	readonly name: string;
	readonly version: number;
	readonly state: ExperimentState;
	readonly winner: string | null;
	/** One sentence for whoever reads no further. */
	readonly sentence: string;
	readonly freshness: {
		/** Everything stored up to this revision is counted. */
		readonly revision: number;
		/** Milliseconds since the epoch; null where nothing was decided. */
		readonly firstDecidedAt: number | null;
		readonly lastDecidedAt: number | null;
	};
	readonly policy: GroupSummary;
	readonly control: GroupSummary;
	/** Logged, never learned. */
	readonly outside: { readonly decisions: number };
	/** Policy − control. */
	readonly lift: Estimate;
	/** The same as a fraction of control's mean. */
	readonly relativeLift: Estimate;
	readonly bestSingleArm: SingleArm;
	/** What a uniform choice earns: control's mean, where control is uniform. */
	readonly uniformExpected: number | null;
	/** Why there is no uniformExpected. */
	readonly uniformExpectedWithheld: string | null;
	/** The policy group's. */
	readonly arms: readonly ArmSummary[];
	readonly controlArms: readonly ArmSummary[];
	readonly outsideArms: readonly ArmSummary[];
	readonly deadLetters: number;
	readonly waitingEvents: number;
	/** What a reader must know to read the numbers rightly. */
	readonly notes: readonly string[];
}

export interface GroupSummary extends Omit<Estimate, "estimate"> {
	/** All decisions of the group. */
	readonly decisions: number;
	/** Decisions that taught. */
	readonly n: number;
	/** Units with at least one of those. */
	readonly units: number;
	/** Reward per learned decision; null where n is 0. */
	readonly mean: number | null;
}

export function makeReport(
	definition: Definition,
	counts: ReportCounts,
): Report {
	const { experiment, version, state, winner } = definition;
	const armKeys = experiment.arms.map(({ key }) => key);
	const [policySide, controlSide] = [
		side(counts, "policy"),
		side(counts, "control"),
	];
	const policy = summarise(counts, policySide);
	const control = summarise(counts, controlSide);
	const lift = absoluteLift(policySide, controlSide);
	const arms = (group: Group) => summariseArms(armKeys, counts, group);
	const best = bestSingleArm(armKeys, counts);
	return {
		experiment: experiment.key,
		name: experiment.name,
		version,
		state,
		winner,
		sentence: sentenceOf(policy, control, lift),
		freshness: {
			revision: counts.revision,
			firstDecidedAt: counts.firstDecidedAt,
			lastDecidedAt: counts.lastDecidedAt,
		},
		policy,
		control,
		outside: { decisions: decisionsOf(counts, "outside") },
		lift,
		relativeLift: relativeLift(policySide, controlSide),
		bestSingleArm: best,
		...uniformExpected(experiment.traffic.baseline, control),
		arms: arms("policy"),
		controlArms: arms("control"),
		outsideArms: arms("outside"),
		deadLetters: counts.deadLetters,
		waitingEvents: counts.waitingEvents,
		notes: notesOf(definition, counts, best),
	};
}

function side(counts: ReportCounts, group: "policy" | "control"): Side {
	const rows = counts.arms.filter((row) => row.group === group);
	const n = rows.reduce((sum, { learned }) => sum + learned, 0);
	const c = rows.reduce((sum, { rewardSum }) => sum + rewardSum, 0);
	const moments = counts.units.find((row) => row.group === group);
	return {
		group,
		mean: n === 0 ? null : c / n,
		units: moments?.units ?? 0,
		measured: moments === undefined ? null : ratioOfSums(moments),
	};
}

function summarise(
	counts: ReportCounts,
	{ group, mean, units, measured }: Side,
): GroupSummary {
	const own = counts.arms.filter((row) => row.group === group);
	const { estimate: _, ...rest } = meanOf(group, mean, measured);
	return {
		decisions: decisionsOf(counts, group),
		n: own.reduce((sum, { learned }) => sum + learned, 0),
		units,
		mean,
		...rest,
	};
}

function meanOf(
	group: string,
	mean: number | null,
	measured: Side["measured"],
): Estimate {
	if (mean === null)
		return withheld(`No decision of the ${group} group has been learned yet.`);
	if (measured === null)
		return withheld(
			"Fewer than two units have learned decisions; an interval needs two.",
			mean,
		);
	if (measured.variance === 0)
		return withheld("All units earned the same per decision so far.", mean);
	return interval(mean, measured.variance, measured.observations - 1);
}

function decisionsOf(counts: ReportCounts, group: Group): number {
	return counts.arms.reduce(
		(sum, row) => (row.group === group ? sum + row.decisions : sum),
		0,
	);
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
