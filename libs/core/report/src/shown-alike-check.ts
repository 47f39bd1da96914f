import { ALL, type BookedCounts, type BookedMoments } from "#core/booking";
import type { Experiment } from "#core/experiment";
import type { Per } from "#core/metrics";
import { mixtureP } from "#core/statistics";
import { DEFAULT_PRIMARY } from "./analysis-plan.js";
import type { CheckSummary, Covered } from "./checks.js";
import { said } from "./said.js";

const ALARM = 0.001;
/** A difference in the share that was shown which is found soonest. */
const TAU = 0.05;
/** Units shown, and not shown, that are to be expected in each group before a difference is near to normal. */
const LEAST_EXPECTED = 5;
const OF_WHAT_WAS_SHOWN: readonly Per[] = ["impression", "play", "event"];

/**
 * Whether listeners of the policy and of control are shown what was decided for them alike. The sample ratio counts units where they were
 * first decided for; a click rate rests on those shown alone, and so does the lift of a reward where decisions that were never shown teach
 * nothing. A policy whose payloads are not shown to some of its listeners then compares the others with all of control.
 */
export function checkShownAlike(
	booked: BookedCounts,
	atStart: Experiment,
): CheckSummary {
	const about = {
		check: "shown alike",
		covers: coveredOf(booked, atStart),
		footnote: "shown-alike",
	} as const;
	const tested = booked.epochs.flatMap(({ epoch, slices }) => {
		const now = slices.filter(({ slice }) => slice === ALL);
		const found = [...looksOf(booked, epoch), pairOf(booked, now)].flatMap(
			(pair) => (pair === null ? [] : [differenceOf(...pair)]),
		);
		const able = found.flatMap(({ p }) => (p === null ? [] : [p]));
		const last = found.at(-1);
		return last === undefined ? [] : [{ ...last, able }];
	});
	const ps = tested.flatMap(({ able }) =>
		able.length === 0 ? [] : [Math.min(...able)],
	);
	const told = tested.map(
		({ policy, control }) =>
			`${percent(policy)} of the policy's decisions and ${percent(control)} of control's were shown`,
	);
	if (ps.length === 0)
		return {
			...about,
			status: "not enough evidence",
			pValue: null,
			sentence:
				told.length === 0
					? "There are not two groups with decisions yet."
					: `${told.join("; ")}: too few listeners were left out, or shown, to tell more.`,
		};
	// As many tests as epochs.
	const pValue = Math.min(1, ps.length * Math.min(...ps));
	const isWrong = pValue < ALARM;
	const isOfAll = atStart.reward.learn === "decision";
	return {
		...about,
		status: isWrong ? "failed" : "passed",
		pValue,
		sentence: `${told.join("; ")}${isWrong ? `, which is no chance: ${isOfAll ? "where a metric is of what was shown, " : ""}what is compared are the listeners who were shown something, and they are not alike. A client that fails to show some payloads does this, and one that reports no impressions, so that only what something came of counts as shown: report them${isOfAll ? "" : ", or set reward.learn: decision"}` : ""}.`,
	};
}

/** What rests on decisions that were shown. */
function coveredOf(
	{ metrics }: BookedCounts,
	{ reward, metrics: declared }: Experiment,
): readonly Covered[] {
	if (reward.learn !== "decision") return ["lift", "segments", "metrics"];
	const primary = declared?.primary?.metric ?? DEFAULT_PRIMARY;
	const { per } = metrics.find(({ name }) => name === primary) ?? {};
	return per !== undefined && OF_WHAT_WAS_SHOWN.includes(per)
		? ["lift", "segments", "metrics of what was shown"]
		: ["metrics of what was shown"];
}

type Pair = readonly [policy: BookedMoments, control: BookedMoments];

interface Difference {
	/** Shares that were shown. */
	readonly policy: number;
	readonly control: number;
	/** Null where there are too few to tell. */
	readonly p: number | null;
}

/**
 * p of "shown alike", at one look, by the normal mixture in the clock 1/SE². The variance is that of the hypothesis, with the share R of
 * both groups together, Σ(C − R·n)² over units, and for each group the larger of its own and of both: a small group in which everything
 * happened to be shown would think itself sure.
 */
function differenceOf(
	policy: BookedMoments,
	control: BookedMoments,
): Difference {
	const both = [policy, control];
	const total = (of: "units" | "n" | "c") =>
		both.reduce((sum, moments) => sum + moments[of], 0);
	const R = total("c") / total("n");
	const shares = {
		policy: policy.c / policy.n,
		control: control.c / control.n,
	};
	const expected =
		Math.min(...both.map(({ units }) => units)) * Math.min(R, 1 - R);
	if (expected < LEAST_EXPECTED) return { ...shares, p: null };
	const squares = ({ nn, nc, cc }: BookedMoments) =>
		cc - 2 * R * nc + R * R * nn;
	const pooled =
		both.reduce((sum, moments) => sum + squares(moments), 0) / total("units");
	const variance = both.reduce((sum, moments) => {
		const { units, n } = moments;
		const each = Math.max(pooled, squares(moments) / units);
		return sum + (units * each) / (n * n);
	}, 0);
	const v = 1 / variance;
	const difference = shares.policy - shares.control;
	return { ...shares, p: mixtureP(v * difference, v, 1 / TAU ** 2) };
}

/** Both groups of an epoch at each look that was kept. */
function looksOf(
	booked: BookedCounts,
	epoch: number,
): readonly (Pair | null)[] {
	const byTime = new Map<number, BookedCounts["looks"][number][]>();
	for (const look of booked.looks) {
		if (look.epoch !== epoch) continue;
		byTime.set(look.at, [...(byTime.get(look.at) ?? []), look]);
	}
	return [...byTime.values()].map((looks) => pairOf(booked, looks));
}

/** Null where a group has no decisions. */
function pairOf(
	{ metrics }: BookedCounts,
	groups: readonly {
		readonly group: string;
		readonly moments: readonly BookedMoments[];
	}[],
): Pair | null {
	const place = metrics.findIndex(({ name }) => name === "impression_rate");
	const [policy, control] = ["policy", "control"].map(
		(side) => groups.find(({ group }) => group === side)?.moments[place],
	);
	return policy === undefined ||
		control === undefined ||
		policy.n === 0 ||
		control.n === 0
		? null
		: [policy, control];
}

function percent(share: number): string {
	return `${said(100 * share)} %`;
}
