import { type Judgeable, judge, type Reward } from "#core/experiment";
import type { Event } from "#core/log";

/** What one row of the log moved of its decision's state, and in which revision of the experiment. */
export interface Movement {
	/** Change of E. */
	readonly exposed: number;
	/** Change of E·R. */
	readonly reward: number;
	readonly revision: number;
}

/** An outcome and the revision of its batch; null: it came before its decision and counts with it. */
export interface RevisedOutcome {
	readonly event: Event;
	readonly revision: number | null;
}

/** Each outcome takes a fold of all before it, so that the work is bounded. */
const MOST_OUTCOMES = 500;

/**
 * Splits what a decision has taught by the rows that moved it: the decision itself first, then its outcomes by revision, and within a
 * revision by (at, event id). What they moved adds up to the state; rows that moved nothing are not in it. Of more than 500 outcomes
 * the later ones are not told apart.
 */
export function movements(
	reward: Reward,
	decision: Judgeable,
	revision: number,
	outcomes: readonly RevisedOutcome[],
): {
	readonly decision: Movement | null;
	readonly events: Map<string, Movement>;
} {
	const ordered = outcomes
		.map(({ event, revision: own }) => ({ event, revision: own ?? revision }))
		.sort(
			(a, b) =>
				a.revision - b.revision ||
				a.event.at - b.event.at ||
				(a.event.id < b.event.id ? -1 : 1),
		)
		.slice(0, MOST_OUTCOMES);
	const known: Event[] = [];
	let state = judge(reward, decision, known);
	const first = { exposed: state.exposed, reward: state.reward, revision };
	const events = new Map<string, Movement>();
	for (const { event, revision: own } of ordered) {
		known.push(event);
		const next = judge(reward, decision, known);
		const moved = {
			exposed: next.exposed - state.exposed,
			reward: next.reward - state.reward,
			revision: own,
		};
		if (movesSomething(moved)) events.set(event.id, moved);
		state = next;
	}
	return { decision: movesSomething(first) ? first : null, events };
}

const movesSomething = ({ exposed, reward }: Movement): boolean =>
	exposed !== 0 || reward !== 0;
