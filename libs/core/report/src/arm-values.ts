import type { BookedCounts } from "#core/booking";
import type { Experiment } from "#core/experiment";
import { reachableRange } from "#core/metrics";
import { armValue, emptyScores } from "#core/statistics";
import {
	ALPHA,
	type Estimate,
	shownEstimate,
	withheldEstimate,
} from "./estimate.js";
import { knownArms } from "./known-arms.js";

export interface ArmValueSummary {
	readonly arm: string;
	/** In the log, but no longer in the definition. */
	readonly retired: boolean;
	readonly policyDecisions: number;
	readonly controlDecisions: number;
	/** Of the policy's decisions, in [0, 1]; 0 where there are none. */
	readonly policyShare: number;
	/** Of the arm's decisions in both groups, those shown, in [0, 1]; null without any. */
	readonly impressionRate: number | null;
	/** The weighted average, over decisions so far, of the reward had the arm been shown. */
	readonly value: Estimate;
	/** (Σw)² / Σw² over the arm's draws. */
	readonly effectiveSampleSize: number;
}

/** Every arm of the definition in its order, then those that only the log knows. */
export function summariseArmValues(
	booked: BookedCounts,
	{ arms, reward }: Experiment,
): readonly ArmValueSummary[] {
	const declared = arms.map(({ key }) => key);
	const isDeclared = new Set(declared);
	const counts = countsOf(booked.hours);
	const known = knownArms(declared, booked);
	const alpha = ALPHA / Math.max(1, known.length);
	const policyTotal = [...counts.values()].reduce(
		(sum, { policy }) => sum + policy,
		0,
	);
	return known.map((arm) => {
		const {
			policy: policyDecisions,
			control: controlDecisions,
			shown,
		} = counts.get(arm) ?? NOTHING;
		const decisions = policyDecisions + controlDecisions;
		const found = armValue(
			booked.scores.get(arm) ?? emptyScores(),
			alpha,
			reachableRange(reward),
		);
		const kind = {
			alpha,
			footnote: "arm-value",
			observation: "decision",
		} as const;
		return {
			arm,
			retired: !isDeclared.has(arm),
			policyDecisions,
			controlDecisions,
			policyShare: policyTotal === 0 ? 0 : policyDecisions / policyTotal,
			impressionRate: decisions === 0 ? null : shown / decisions,
			value:
				found.kind === "withheld"
					? withheldEstimate(found.reason, kind)
					: shownEstimate({ ...found, ...within(reward.range, found) }, kind),
			effectiveSampleSize: found.effectiveDraws,
		};
	});
}

/** Decisions by arm and group, and those of both that were shown. */
interface Counts {
	policy: number;
	control: number;
	shown: number;
}

const NOTHING: Readonly<Counts> = { policy: 0, control: 0, shown: 0 };

/** In one pass: a thousand arms have hundreds of thousands of hours. */
function countsOf(hours: BookedCounts["hours"]): ReadonlyMap<string, Counts> {
	const counts = new Map<string, Counts>();
	for (const { arm, group, decisions, shown } of hours) {
		let own = counts.get(arm);
		if (own === undefined) {
			own = { ...NOTHING };
			counts.set(arm, own);
		}
		if (group !== "policy" && group !== "control") continue;
		own[group] += decisions;
		own.shown += shown;
	}
	return counts;
}

/** No arm is worth more, or less, than the range of rewards allows. */
function within(
	[least, most]: readonly [number, number],
	{
		value,
		low,
		high,
	}: { readonly value: number; readonly low: number; readonly high: number },
) {
	const clip = (one: number) => Math.min(most, Math.max(least, one));
	return { estimate: clip(value), low: clip(low), high: clip(high) };
}
