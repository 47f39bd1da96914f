import type { Definition } from "#core/experiment";
import type { SingleArm } from "./arm-summary.js";
import type { ReportCounts } from "./counts.js";
import type { Estimate } from "./interval.js";

interface Mean {
	readonly mean: number | null;
}

/** The report in one sentence. */
export function sentenceOf(
	policy: Mean,
	control: Mean,
	lift: Estimate,
): string {
	if (policy.mean === null)
		return "Nothing has been learned from the policy's decisions yet.";
	const earned = `The policy earned ${round(policy.mean)} per learned decision`;
	if (control.mean === null || lift.estimate === null)
		return `${earned}; no decision of a control group has been learned yet to compare it with.`;
	const difference = `${round(Math.abs(lift.estimate))} ${lift.estimate < 0 ? "less" : "more"} than control's ${round(control.mean)}`;
	if (lift.low === null || lift.high === null)
		return `${earned}, ${difference}; how sure that is cannot be told yet.`;
	const range = `95 % interval of the difference: ${round(lift.low)} to ${round(lift.high)}`;
	const sure = lift.low > 0 || lift.high < 0 ? "" : ", so it may be chance";
	return `${earned}, ${difference} (${range}${sure}).`;
}

/** What must be known to read the numbers rightly. */
export function notesOf(
	{ experiment, epoch, version }: Definition,
	counts: ReportCounts,
	best: SingleArm,
): string[] {
	const notes = [
		"Means are rewards per learned decision; shares are of the group's decisions.",
		"Intervals hold at one time chosen beforehand (fixed-horizon): read them once, not until they look good.",
	];
	if (best.arm !== null)
		notes.push(
			"bestSingleArm is the highest of several means among control's rows, so by chance it tends to be too high.",
			...(best.observation === "decision" && best.withheld === null
				? [
						"Its interval takes the decision as the observation: too narrow where units come back often.",
					]
				: []),
		);
	if (experiment.traffic.control === 0)
		notes.push(
			"traffic.control is 0: without a control group nobody can tell what the policy is worth.",
		);
	if (version > 1)
		notes.push(
			`Only decisions of version ${version} are counted; earlier versions learned something else.`,
		);
	if (epoch > 1)
		notes.push(
			"The control share has been changed: decisions before and after count together here, in other proportions.",
		);
	if (counts.deadLetters > 0)
		notes.push(
			`${counts.deadLetters} messages of this installation could not be understood and wait as dead letters.`,
		);
	if (counts.waitingEvents > 0)
		notes.push(
			`${counts.waitingEvents} events of this installation wait for their decision to be stored.`,
		);
	return notes;
}

/** Four significant digits, at most four decimals. */
function round(value: number): string {
	return String(Number(value.toFixed(4)));
}
