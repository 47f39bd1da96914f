import { quantise } from "#core/linalg";
import type { Event } from "#core/log";
import { CLOSING_ID } from "./closing.js";
import type { OutcomeRule, Reward } from "./experiment.js";
import { MOST_VALUE, RETRACT } from "./patterns.js";
import type { Judgement, NoValue } from "./verdict.js";
import { isVisit } from "./visit.js";

/** Clocks of clients may be behind by so much: such an event counts as at the decision. */
const EARLY_MS = 5 * 60_000;
const AHEAD_MS = 5 * 60_000;

export interface Settlement {
	/** E: whether the decision teaches. */
	readonly exposed: 0 | 1;
	/** R, on the 2⁻¹² grid; `default` where nothing earned. */
	readonly reward: number;
	/** By event id. */
	readonly verdicts: Map<string, Judgement>;
}

const APPLIED: Judgement = { verdict: "applied" };
const CLIPPED: Judgement = { verdict: "out of range" };
const NOT_EXPOSED: Judgement = { verdict: "not exposed" };
const RETRACTED: Judgement = { verdict: "retracted" };
const EARLY: Judgement = { verdict: "early" };
const LATE: Judgement = { verdict: "late" };
const VISIT: Judgement = { verdict: "visit" };
const noValue = (detail: NoValue): Judgement => ({
	verdict: "no value",
	detail,
});
const SUPERSEDED = noValue("superseded");
const UNLISTED = noValue("unlisted");
const OUTSIDE_WITHIN = noValue("outside within");
const MISSING = noValue("missing");
const TOO_LARGE = noValue("too large");
const NOTHING_TO_RETRACT = noValue("nothing to retract");
const NOT_RETRACTABLE = noValue("not retractable");

interface Earning {
	readonly id: string;
	readonly at: number;
	readonly value: number;
}

/** True for an event whose time is more than 5 minutes ahead of the moment the stream stored it; it is refused. */
export function isFuture(at: number, storedAt: number): boolean {
	return at > storedAt + AHEAD_MS;
}

/**
 * Exposure E and reward R of one decision, functions of the *set* of its outcomes: the order and repetition of `outcomes`
 * (which are of the decision's own unit) change nothing. All values are on the 2⁻¹² grid, so their sum is exact.
 * @param decidedAt milliseconds since the epoch; `window` and `within` count from it, both ends included
 */
export function settle(
	reward: Reward,
	decidedAt: number,
	outcomes: readonly Event[],
): Settlement {
	if (outcomes.length === 0) return untouched(reward);
	const events = new Map<string, Event>();
	for (const event of outcomes)
		if (!events.has(event.id)) events.set(event.id, event);
	const rules = rulesOf(reward);
	const closed = events.delete(CLOSING_ID);
	const verdicts = new Map<string, Judgement>();
	const retracted = judgeRetracts(events, reward, decidedAt, verdicts);

	const earnings: Earning[] = [];
	let shown = false;
	for (const event of events.values()) {
		if (event.type === RETRACT) continue;
		const verdict = isVisit(event)
			? VISIT
			: (timeVerdict(event.at, reward, decidedAt) ??
				(retracted.has(event.id) ? RETRACTED : null));
		if (verdict !== null) {
			verdicts.set(event.id, verdict);
			continue;
		}
		const at = Math.max(event.at, decidedAt);
		const judged = judgeEarning(event, rules.get(event.type), at - decidedAt);
		if (typeof judged === "number")
			earnings.push({ id: event.id, at, value: judged });
		else verdicts.set(event.id, judged);
		if (judged !== MISSING && judged !== TOO_LARGE) shown = true;
	}
	const { value, counted, clipped } = combine(reward, earnings);
	const open = reward.learn === "windowClose" && !closed;
	const earned = open ? NOT_EXPOSED : clipped ? CLIPPED : APPLIED;
	for (const { id } of earnings)
		verdicts.set(id, counted === null || counted === id ? earned : SUPERSEDED);
	return {
		exposed: reward.learn === "decision" || (shown && !open) ? 1 : 0,
		reward: value,
		verdicts,
	};
}

/** Half of what is settled is a decision that has just come. */
function untouched(reward: Reward): Settlement {
	return {
		exposed: reward.learn === "decision" ? 1 : 0,
		reward: reward.default + 0,
		verdicts: new Map(),
	};
}

const rules = new WeakMap<Reward, ReadonlyMap<string, OutcomeRule>>();

/** By event type. */
function rulesOf(reward: Reward): ReadonlyMap<string, OutcomeRule> {
	let known = rules.get(reward);
	if (known === undefined) {
		known = new Map(reward.outcomes.map((rule) => [rule.type, rule]));
		rules.set(reward, known);
	}
	return known;
}

function timeVerdict(
	at: number,
	reward: Reward,
	decidedAt: number,
): Judgement | null {
	if (at > decidedAt + reward.windowMs) return LATE;
	return at < decidedAt - EARLY_MS ? EARLY : null;
}

const NONE: ReadonlySet<string> = new Set();

/** Ids taken back. A retract is judged by its own time, may come first, and cannot itself be taken back. */
function judgeRetracts(
	events: ReadonlyMap<string, Event>,
	reward: Reward,
	decidedAt: number,
	verdicts: Map<string, Judgement>,
): ReadonlySet<string> {
	let retracted: Set<string> | null = null;
	for (const event of events.values()) {
		if (event.type !== RETRACT) continue;
		const ownTime = timeVerdict(event.at, reward, decidedAt);
		const target =
			event.retracts === undefined ? undefined : events.get(event.retracts);
		if (ownTime !== null) verdicts.set(event.id, ownTime);
		else if (target === undefined) verdicts.set(event.id, NOTHING_TO_RETRACT);
		else if (target.type === RETRACT || isVisit(target))
			verdicts.set(event.id, NOT_RETRACTABLE);
		else {
			verdicts.set(event.id, APPLIED);
			retracted ??= new Set();
			retracted.add(target.id);
		}
	}
	return retracted ?? NONE;
}

/** The value an event earns, or why it earns none. `after` is milliseconds since the decision. */
function judgeEarning(
	event: Event,
	rule: OutcomeRule | undefined,
	after: number,
): number | Judgement {
	if (rule === undefined) return UNLISTED;
	const value = rule.value ?? event.value;
	if (value === undefined) return MISSING;
	if (!(Math.abs(value) <= MOST_VALUE)) return TOO_LARGE;
	if (rule.withinMs !== undefined && after > rule.withinMs)
		return OUTSIDE_WITHIN;
	return quantise(value);
}

/** R, the one event it is of where `combine` chooses one, and whether `range` clipped it. `default` is not added to what was earned. */
function combine(
	reward: Reward,
	earnings: readonly Earning[],
): { value: number; counted: string | null; clipped: boolean } {
	// + 0 turns −0 into 0, so that equal rewards have equal bits.
	if (earnings.length === 0)
		return { value: reward.default + 0, counted: null, clipped: false };
	const chosen =
		reward.combine === "sum"
			? {
					id: null,
					value: earnings.reduce((sum, { value }) => sum + value, 0),
				}
			: earnings.reduce((best, next) =>
					precedes(reward.combine, next, best) ? next : best,
				);
	const [low, high] = reward.range;
	const value = Math.min(high, Math.max(low, chosen.value)) + 0;
	return { value, counted: chosen.id, clipped: value !== chosen.value };
}

/** Whether `next` is to be taken over `best`; ties go by (at, event id), so that no order of arrival matters. */
function precedes(
	how: Reward["combine"],
	next: Earning,
	best: Earning,
): boolean {
	if (how === "max" && next.value !== best.value)
		return next.value > best.value;
	const earlier = next.at === best.at ? next.id < best.id : next.at < best.at;
	return how === "last" ? !earlier : earlier;
}
