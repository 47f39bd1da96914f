import { quantise } from "#core/linalg";
import type { Event } from "#core/log";
import type { OutcomeRule, Reward } from "./experiment.js";
import { MOST_VALUE, RETRACT } from "./patterns.js";

/** Clocks of clients may be behind by so much: such an event counts as at the decision. */
const EARLY_MS = 5 * 60_000;
const AHEAD_MS = 5 * 60_000;

/**
 * What became of one event:
 * - `applied`: its value is in the reward; for a retract: it took an event back
 * - `not counted`: earns, but `combine` chose another event's value; proves exposure
 * - `exposure only`: a type that earns nothing; proves exposure
 * - `outside within`: came after its rule's `within`; earns nothing, proves exposure
 * - `retracted`: taken back; proves nothing
 * - `no value`, `out of range`: its own value is needed and missing, or beyond ±2²⁰; refused, proves nothing
 * - `late`: past the window; `early`: more than 5 minutes before the decision; both prove nothing
 * - `nothing to retract`: the event it names has not come (yet); `not retractable`: it names a retract
 */
export type Verdict =
	| "applied"
	| "not counted"
	| "exposure only"
	| "outside within"
	| "retracted"
	| "no value"
	| "out of range"
	| "late"
	| "early"
	| "nothing to retract"
	| "not retractable";

export interface Settlement {
	/** E: whether the decision teaches. */
	readonly exposed: 0 | 1;
	/** R, on the 2⁻¹² grid; `default` where nothing earned. */
	readonly reward: number;
	/** By event id. */
	readonly verdicts: Map<string, Verdict>;
}

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
	const events = new Map<string, Event>();
	for (const event of outcomes)
		if (!events.has(event.id)) events.set(event.id, event);
	const rules = new Map(reward.outcomes.map((rule) => [rule.type, rule]));
	const verdicts = new Map<string, Verdict>();
	const retracted = judgeRetracts(events, reward, decidedAt, verdicts);

	const earnings: Earning[] = [];
	let shown = false;
	for (const event of events.values()) {
		if (event.type === RETRACT) continue;
		const verdict =
			timeVerdict(event.at, reward, decidedAt) ??
			(retracted.has(event.id) ? "retracted" : null);
		if (verdict !== null) {
			verdicts.set(event.id, verdict);
			continue;
		}
		const at = Math.max(event.at, decidedAt);
		const judged = judgeEarning(event, rules.get(event.type), at - decidedAt);
		if (typeof judged === "number")
			earnings.push({ id: event.id, at, value: judged });
		else verdicts.set(event.id, judged);
		if (judged !== "no value" && judged !== "out of range") shown = true;
	}
	const { value, counted } = combine(reward, earnings);
	for (const { id } of earnings)
		verdicts.set(
			id,
			counted === null || counted === id ? "applied" : "not counted",
		);
	return {
		exposed: reward.learn === "decision" || shown ? 1 : 0,
		reward: value,
		verdicts,
	};
}

function timeVerdict(
	at: number,
	reward: Reward,
	decidedAt: number,
): "late" | "early" | null {
	if (at > decidedAt + reward.windowMs) return "late";
	return at < decidedAt - EARLY_MS ? "early" : null;
}

/** Ids taken back. A retract is judged by its own time, may come first, and cannot itself be taken back. */
function judgeRetracts(
	events: ReadonlyMap<string, Event>,
	reward: Reward,
	decidedAt: number,
	verdicts: Map<string, Verdict>,
): ReadonlySet<string> {
	const retracted = new Set<string>();
	for (const event of events.values()) {
		if (event.type !== RETRACT) continue;
		const ownTime = timeVerdict(event.at, reward, decidedAt);
		const target =
			event.retracts === undefined ? undefined : events.get(event.retracts);
		if (ownTime !== null) verdicts.set(event.id, ownTime);
		else if (target === undefined) verdicts.set(event.id, "nothing to retract");
		else if (target.type === RETRACT) verdicts.set(event.id, "not retractable");
		else {
			verdicts.set(event.id, "applied");
			retracted.add(target.id);
		}
	}
	return retracted;
}

/** The value an event earns, or why it earns none. `after` is milliseconds since the decision. */
function judgeEarning(
	event: Event,
	rule: OutcomeRule | undefined,
	after: number,
): number | "exposure only" | "outside within" | "no value" | "out of range" {
	if (rule === undefined) return "exposure only";
	const value = rule.value ?? event.value;
	if (value === undefined) return "no value";
	if (!(Math.abs(value) <= MOST_VALUE)) return "out of range";
	if (rule.withinMs !== undefined && after > rule.withinMs)
		return "outside within";
	return quantise(value);
}

/** R, and the one event it is of where `combine` chooses one. `default` is not added to what was earned. */
function combine(
	reward: Reward,
	earnings: readonly Earning[],
): { value: number; counted: string | null } {
	const [low, high] = reward.range;
	// + 0 turns −0 into 0, so that equal rewards have equal bits.
	const clip = (value: number) => Math.min(high, Math.max(low, value)) + 0;
	if (earnings.length === 0)
		return { value: reward.default + 0, counted: null };
	if (reward.combine === "sum")
		return {
			value: clip(earnings.reduce((sum, { value }) => sum + value, 0)),
			counted: null,
		};
	const chosen = earnings.reduce((best, next) =>
		precedes(reward.combine, next, best) ? next : best,
	);
	return { value: clip(chosen.value), counted: chosen.id };
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
