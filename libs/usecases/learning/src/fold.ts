import {
	type Definition,
	type Judged,
	judge,
	type Verdict,
} from "#core/experiment";
import { type DecisionRow, type Event, timeOfId } from "#core/log";
import { addObservation, emptySums } from "#core/policy";
import type {
	Effects,
	LockedDecision,
	StateChange,
	SumsDelta,
} from "./ports.js";
import { NO_EXPERIMENT, VerdictTally } from "./verdict-tally.js";

/** What a decision's state depends on. */
export interface Stateful {
	readonly row: Pick<DecisionRow, "group" | "unit" | "decidedAt">;
	readonly definition: Definition;
	readonly outcomes: readonly Event[];
}

/** Exposure E, reward R and verdicts of one decision: functions of the set of its outcomes alone. Outcomes of another unit do not count. */
export function stateOf({ row, definition, outcomes }: Stateful): Judged {
	return judge(definition.experiment.reward, row, outcomes);
}

/** The time bucket of a decision: by its id's time, whatever the origin says of decidedAt. */
export function bucketOf(id: string, bucketMs: number): number {
	return Math.floor(timeOfId(id) / bucketMs);
}

/**
 * Recomputes the state of every locked decision and says what moves: sums gain (E' − E)·xxᵀ and (E'R' − ER)·x.
 * All entries are multiples of 2⁻²⁴, so the deltas are exact and their order does not matter.
 */
export function foldBatch(batch: readonly LockedDecision[]): Effects {
	const states: StateChange[] = [];
	const sums = new Map<string, SumsDelta>();
	const moved = new Map<
		string,
		{ experiment: string; arm: string; learned: number; reward: number }
	>();
	const verdicts = new VerdictTally();
	for (const locked of batch) {
		const { row, definition } = locked;
		const next = stateOf(locked);
		countVerdicts(verdicts, locked, next);
		const deltaN = next.exposed - locked.exposed;
		const deltaR = next.exposed * next.reward - locked.exposed * locked.reward;
		if (deltaN === 0 && deltaR === 0) continue;
		const { exposed, reward } = next;
		states.push({ id: row.id, exposed, reward });

		const bucket = bucketOf(row.id, definition.bucketMs);
		const key = `${row.experiment} ${row.version} ${row.arm} ${bucket}`;
		let entry = sums.get(key);
		if (!entry) {
			const { experiment, version, arm } = row;
			entry = {
				experiment,
				version,
				arm,
				bucket,
				delta: emptySums(row.x.length),
			};
			sums.set(key, entry);
		}
		addObservation(entry.delta, row.x.length, row.x, deltaN, deltaR);
		move(moved, row.experiment, row.arm, deltaN, deltaR);
	}
	return {
		states,
		sums: [...sums.values()],
		moved: [...moved.values()],
		verdicts: verdicts.changes(),
	};
}

const WAITING: Verdict = "unknown decision (waiting)";

/** Every event of the decision has its verdict now; those stored earlier give back the one they had. */
function countVerdicts(
	tally: VerdictTally,
	locked: LockedDecision,
	{ verdicts }: Judged,
): void {
	const { experiment } = locked.row;
	for (const { verdict } of verdicts.values())
		tally.add(experiment, "event", verdict);
	const { earlier = [], fresh = false } = locked;
	if (earlier.length === 0) return;
	if (fresh) {
		tally.add(NO_EXPERIMENT, "event", WAITING, -earlier.length);
		return;
	}
	const before = stateOf({ ...locked, outcomes: earlier });
	for (const { verdict } of before.verdicts.values())
		tally.add(experiment, "event", verdict, -1);
}

function move(
	moved: Map<
		string,
		{ experiment: string; arm: string; learned: number; reward: number }
	>,
	experiment: string,
	arm: string,
	learned: number,
	reward: number,
): void {
	const key = `${experiment} ${arm}`;
	const known = moved.get(key);
	if (known === undefined) moved.set(key, { experiment, arm, learned, reward });
	else {
		known.learned += learned;
		known.reward += reward;
	}
}
