import type { BookedCounts } from "#core/booking";
import type { Experiment } from "#core/experiment";
import { armValue, emptyScores } from "#core/statistics";
import {
	ALPHA,
	type Estimate,
	shownEstimate,
	withheldEstimate,
} from "./estimate.js";

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
	{ hours, scores }: BookedCounts,
	{ arms, reward }: Experiment,
): readonly ArmValueSummary[] {
	const declared = arms.map(({ key }) => key);
	const logged = hours.map(({ arm }) => arm);
	const known = new Set([...declared, ...[...logged, ...scores.keys()].sort()]);
	const alpha = ALPHA / Math.max(1, known.size);
	const policyTotal = hours.reduce(
		(sum, { group, decisions }) => sum + (group === "policy" ? decisions : 0),
		0,
	);
	return [...known].map((arm) => {
		const own = hours.filter((hour) => hour.arm === arm);
		const count = (of: "policy" | "control", what: "decisions" | "shown") =>
			own.reduce((sum, hour) => sum + (hour.group === of ? hour[what] : 0), 0);
		const policyDecisions = count("policy", "decisions");
		const controlDecisions = count("control", "decisions");
		const decisions = policyDecisions + controlDecisions;
		const shown = count("policy", "shown") + count("control", "shown");
		const found = armValue(scores.get(arm) ?? emptyScores(), alpha);
		const kind = {
			alpha,
			footnote: "arm-value",
			observation: "decision",
		} as const;
		return {
			arm,
			retired: !declared.includes(arm),
			policyDecisions,
			controlDecisions,
			policyShare: policyTotal === 0 ? 0 : policyDecisions / policyTotal,
			impressionRate: decisions === 0 ? null : shown / decisions,
			value:
				found.kind === "withheld"
					? withheldEstimate(found.reason, kind)
					: shownEstimate(
							{
								...found,
								estimate: found.value,
								...within(reward.range, found),
							},
							kind,
						),
			effectiveSampleSize: found.effectiveDraws,
		};
	});
}

/** No arm is worth more than the range of rewards allows. */
function within(
	[least, most]: readonly [number, number],
	{ low, high }: { readonly low: number; readonly high: number },
) {
	return { low: Math.max(least, low), high: Math.min(most, high) };
}
