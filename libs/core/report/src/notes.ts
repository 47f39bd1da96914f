import type { BookedCounts } from "#core/booking";
import type { Definition } from "#core/experiment";
import type { PlanSummary } from "./analysis-plan.js";
import type { SingleArm } from "./arm-summary.js";

export interface NotedRun {
	readonly definition: Definition;
	readonly booked: BookedCounts;
	/** Share of control by epoch, of those whose definitions were read. */
	readonly controlOf: ReadonlyMap<number, number>;
	readonly plan: PlanSummary | null;
	readonly best: SingleArm;
	readonly deadLetters: number;
	readonly waitingEvents: number;
	/** Whether decisions that are not booked yet are counted by arm. */
	readonly countsOpen: boolean;
}

/** What must be known to read the numbers rightly. */
export function notesOf({
	definition: { experiment, version, run },
	booked,
	controlOf,
	plan,
	best,
	deadLetters,
	waitingEvents,
	countsOpen,
}: NotedRun): string[] {
	const notes = [
		countsOpen
			? "Lift and values tell of decisions whose windows are closed; decisions and shares by arm count all there are."
			: `Lift and values tell of decisions whose windows are closed, and so do decisions and shares by arm: ${booked.freshness.waiting.toLocaleString("en-US")} decisions wait for theirs, too many to count while somebody reads.`,
		"Intervals are valid however often they are read, each by itself: those of different days must not be intersected.",
	];
	if (plan === null)
		notes.push(
			"No plan was declared (metrics.primary): the lift is that of reward, and its sequence is scaled by the spread seen at the first full hour of decisions, for 10,000 listeners, and has no interval before.",
		);
	if (best.arm !== null)
		notes.push(
			"bestSingleArm is the highest of several means among control's rows, so by chance it tends to be too high; armValues compare arms fairly.",
		);
	if (experiment.traffic.control === 0)
		notes.push(
			"traffic.control is 0: without a control group nobody can tell what the policy is worth.",
		);
	if (version > 1 || run > 1)
		notes.push(
			`Only decisions of version ${version} since its last start from a draft or a stop are counted, run ${run} the latest of them: what went before had another plan or learned something else.`,
		);
	if (booked.epochs.length > 1)
		notes.push(
			"Control's share or baseline has been changed: the lift combines the epochs, each with its own control, weighted by the policy's decisions.",
		);
	const unread = booked.epochs.filter(
		({ epoch }) => !controlOf.has(epoch),
	).length;
	if (unread > 0)
		notes.push(
			`There are ${booked.epochs.length.toLocaleString("en-US")} epochs, more than are looked into one by one: of the oldest ${unread.toLocaleString("en-US")} the lift counts all, and the sample ratio and what control's draws tell of single arms count nothing.`,
		);
	if (deadLetters > 0)
		notes.push(
			`${deadLetters} messages of this installation could not be understood and wait as dead letters.`,
		);
	if (waitingEvents > 0)
		notes.push(
			`${waitingEvents} events of this installation wait for their decision to be stored.`,
		);
	return notes;
}
