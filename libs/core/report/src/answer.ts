import type { ExperimentState } from "#core/experiment";
import type { PlanSummary } from "./analysis-plan.js";
import type { CheckSummary } from "./checks.js";
import type { MetricSummary } from "./metric-summary.js";
import { said } from "./said.js";
import type { GuardrailSummary } from "./timeline.js";

export type Verdict =
	| "keep going"
	| "ship"
	| "stop"
	| "cannot tell"
	| "do not trust";

/** What a report says to whoever reads no further. */
export interface Answer {
	readonly verdict: Verdict;
	readonly sentence: string;
	/** What to do now. */
	readonly advice: string;
	readonly reasons: readonly string[];
}

export interface Answered {
	readonly primary: MetricSummary;
	/** Units of both groups with an n of the primary metric, by epoch. */
	readonly listeners: readonly number[];
	readonly plan: PlanSummary | null;
	readonly checks: readonly CheckSummary[];
	readonly broken: readonly GuardrailSummary[];
	readonly state: ExperimentState;
	/** Whether it is to have a control group. */
	readonly hasControl: boolean;
}

export function answer(asked: Answered): Answer {
	const { checks, primary } = asked;
	const failed = checks.filter(
		({ status, covers }) => status === "failed" && covers.includes("lift"),
	);
	const harm = asked.broken.length > 0 ? harmOf(asked.broken) : null;
	if (failed.length > 0)
		return {
			verdict: "do not trust",
			sentence: `The comparison of policy and control cannot be trusted: ${failed.map(({ check }) => check).join(", ")} failed.${harm === null ? "" : ` ${harm.sentence}`}`,
			advice: `${harm === null ? "" : `${harm.advice} `}Do not decide by this report. Find out why the check failed, mend it, and start again: a new run counts afresh.`,
			reasons: failed.map(({ check, sentence }) => `${check}: ${sentence}`),
		};
	if (harm !== null)
		return {
			verdict: "stop",
			sentence: `${harm.sentence} ${foundOf(primary)}`,
			advice: harm.advice,
			reasons: [],
		};
	const { estimate, low, high } = primary.lift;
	if (estimate === null || low === null || high === null)
		return {
			verdict: "cannot tell",
			sentence: `Nothing can be said of ${primary.metric} yet: ${primary.lift.withheld ?? "there is no estimate"}.`,
			advice: adviceBefore(asked),
			reasons: [],
		};
	return judged(asked, { estimate, low, high });
}

/** What must be said of harm that is proved, whatever else is known. */
function harmOf(
	broken: readonly GuardrailSummary[],
): Pick<Answer, "sentence" | "advice"> {
	const sentences = broken.map(({ sentence }) => sentence.replace(/\.$/, ""));
	return {
		sentence: `A guardrail is broken: ${sentences.join("; ")}.`,
		advice: broken.some(({ action }) => action !== "alert")
			? "Find out why before anything else. The experiment has stopped itself; only a person resumes it."
			: "Find out why before anything else. The guardrail only alerts, so the policy still serves: pause the experiment yourself.",
	};
}

interface Interval {
	readonly estimate: number;
	readonly low: number;
	readonly high: number;
}

function judged(asked: Answered, interval: Interval): Answer {
	const { primary, plan } = asked;
	const sentence = foundOf(primary);
	// From here on in the direction that is better.
	const [low, high] =
		primary.better === "higher"
			? [interval.low, interval.high]
			: [-interval.high, -interval.low];
	if (low > 0)
		return {
			verdict: "ship",
			sentence,
			advice:
				asked.state === "stopped"
					? "The policy was better than the baseline. It may serve everyone."
					: "The policy is better than the baseline. It may serve everyone: keep a small control group so that you notice if that changes.",
			reasons: reasonsOf(primary),
		};
	if (high < 0)
		return {
			verdict: "stop",
			sentence,
			advice: "The policy is worse than the baseline. Stop it.",
			reasons: reasonsOf(primary),
		};
	if (plan !== null && high < plan.smallestEffect)
		return {
			verdict: "stop",
			sentence,
			advice: `A lift of ${said(plan.smallestEffect)}, the smallest that matters, is ruled out. Stop, or change what is tried.`,
			reasons: reasonsOf(primary),
		};
	return {
		verdict: asked.state === "running" ? "keep going" : "cannot tell",
		sentence,
		advice: adviceSoFar(asked),
		reasons: reasonsOf(primary),
	};
}

/** The interval as a sentence. */
function foundOf({ metric, unit, lift, comparedWith }: MetricSummary): string {
	const { estimate, low, high, confidence, withheld } = lift;
	if (estimate === null || low === null || high === null)
		return `Nothing can be said of ${metric} yet: ${withheld ?? "there is no estimate"}.`;
	const way = estimate < 0 ? "less" : "more";
	const base =
		comparedWith === null ? "control" : `control's ${said(comparedWith)}`;
	const chance = low <= 0 && high >= 0 ? ", so it may be chance" : "";
	return `The policy had ${said(Math.abs(estimate))} ${way} ${metric} than ${base} (${unit}; ${said(100 * confidence)} % interval ${said(low)} to ${said(high)}, valid however often it is read${chance}).`;
}

function adviceBefore({
	primary,
	plan,
	state,
	listeners,
	hasControl,
}: Answered): string {
	if (state === "draft") return "Start the experiment.";
	if (!hasControl && primary.policy.units > 0)
		return "Set traffic.control, such as 0.1, so that there is something to compare with.";
	if (plan === null) return "Wait for more listeners.";
	return `Wait: ${soFar(listeners, plan)}.`;
}

/** A listener may be in every epoch, so there are at least as many as in the one that has most. */
function soFar(listeners: readonly number[], plan: PlanSummary): string {
	const least = listeners.length > 1 ? "at least " : "";
	return `${least}${mostOf(listeners).toLocaleString("en-US")} of ${plan.plannedUnits.toLocaleString("en-US")} planned listeners are in`;
}

function mostOf(listeners: readonly number[]): number {
	return Math.max(0, ...listeners);
}

function adviceSoFar({ plan, state, listeners }: Answered): string {
	if (state !== "running")
		return "The experiment does not run, so no more evidence comes. Start it again, or live with not knowing.";
	if (plan === null)
		return "Keep going. No plan was declared, so there is no size at which to give up: declare metrics.primary before the next run.";
	return mostOf(listeners) < plan.plannedUnits
		? `Keep going: ${soFar(listeners, plan)}.`
		: `The planned ${plan.plannedUnits.toLocaleString("en-US")} listeners are in, and the lift is still open: if there is one it is likely smaller than ${said(plan.smallestEffect)}. Keep going only if that is worth it.`;
}

function reasonsOf({ pValue, lift }: MetricSummary): readonly string[] {
	return [
		...(pValue === null
			? []
			: [
					`The always-valid p-value of "no lift at any time so far" is ${pValue < 1e-4 ? "below 0.0001" : said(pValue)}.`,
				]),
		"It is an average so far of what the policy, as it then was, earned more than the baseline; control's decisions teach the policy too.",
		...(lift.withheld === null ? [] : [lift.withheld]),
	];
}
