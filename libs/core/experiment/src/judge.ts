import type { Event } from "#core/log";
import type { Group, Reward } from "./experiment.js";
import { settle } from "./reward.js";
import type { Judgement } from "./verdict.js";

/** What of a decision its outcomes are judged by. */
export interface Judgeable {
	readonly group: Group;
	readonly unit: string;
	/** Milliseconds since the epoch. */
	readonly decidedAt: number;
}

export interface Judged {
	/** E: whether the decision teaches. */
	readonly exposed: 0 | 1;
	/** R where it teaches, else 0. */
	readonly reward: number;
	/** By event id; the closing of the window has none. */
	readonly verdicts: ReadonlyMap<string, Judgement>;
}

const WRONG_UNIT: Judgement = { verdict: "wrong unit" };
const STOPPED: Judgement = { verdict: "experiment stopped" };

/** Exposure and reward of one decision, and the verdict of each of its outcomes: functions of the set of its outcomes alone. */
export function judge(
	reward: Reward,
	{ group, unit, decidedAt }: Judgeable,
	outcomes: readonly Event[],
): Judged {
	const strangers = outcomes.filter((event) => event.unit !== unit);
	const own =
		strangers.length === 0
			? outcomes
			: outcomes.filter((event) => event.unit === unit);
	const settled = settle(reward, decidedAt, own);
	const teaches = group !== "outside" && settled.exposed === 1;
	if (group === "outside")
		for (const id of settled.verdicts.keys()) settled.verdicts.set(id, STOPPED);
	for (const { id } of strangers) settled.verdicts.set(id, WRONG_UNIT);
	return {
		exposed: teaches ? 1 : 0,
		reward: teaches ? settled.reward : 0,
		verdicts: settled.verdicts,
	};
}
