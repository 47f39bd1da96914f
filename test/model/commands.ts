/** What may happen to a running installation. Numbers that name something are taken modulo what there is. */
export type Command =
	| {
			readonly what: "decide";
			readonly unit: number;
			readonly arm: number;
			readonly group: "policy" | "control" | "outside";
			/** In quarters. */
			readonly v: number;
			/** How far the decider's clock is ahead of the stream's, milliseconds. */
			readonly ahead: number;
			/** How long before the time of its id it was made, as one that comes from elsewhere may be. */
			readonly madeBefore: number;
			readonly pack: boolean;
			/** Learned before anything else happens. */
			readonly atOnce: boolean;
	  }
	| {
			readonly what: "happen";
			/** Counted from the newest. */
			readonly decision: number;
			/** Ids are few, so that events repeat and contradict each other. */
			readonly id: number;
			readonly type: EventType;
			/** Milliseconds from the decision. */
			readonly after: number;
			readonly value: number | null;
			/** Of a retract: whether it takes back what the decision got last. */
			readonly last: boolean;
			readonly by: "its unit" | "a stranger";
			/** Names a decision that never comes. */
			readonly orphan: boolean;
			readonly pack: boolean;
			/** Learned before anything else happens. */
			readonly atOnce: boolean;
	  }
	| {
			readonly what: "signal";
			readonly unit: number;
			readonly id: number;
			/** Milliseconds from now. */
			readonly after: number;
	  }
	| {
			readonly what: "poison";
			readonly unit: number;
			readonly form: "no JSON" | "no event" | "in a pack";
			/** Which one it names, the newest being 0; null: none. */
			readonly decision: number | null;
	  }
	| { readonly what: "publish again"; readonly message: number }
	| { readonly what: "redeliver"; readonly message: number }
	| { readonly what: "hold back"; readonly message: number }
	| { readonly what: "release" }
	| {
			readonly what: "deliver";
			readonly from: number;
			readonly count: number;
			readonly how: Delivery;
	  }
	| { readonly what: "restart" }
	| {
			readonly what: "erase";
			readonly unit: number;
			/** The clock goes on until what happens next is not covered by the erasure. */
			readonly mayReturn: boolean;
	  }
	| { readonly what: "pause or resume" }
	| { readonly what: "add an arm" }
	| { readonly what: "retire or return an arm"; readonly arm: number }
	| { readonly what: "change the reward"; readonly byDefault: number }
	| { readonly what: "close windows" }
	| { readonly what: "clock"; readonly by: number };

export const EVENT_TYPES = [
	"impression",
	"play",
	"skip",
	"rate",
	"share",
	"retract",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export type Delivery =
	| "acknowledged"
	| "crash in the transaction"
	| "crash at its end"
	| "crash before the acknowledgement"
	| "to two learners";

/** How an experiment makes a reward of outcomes. */
export interface RewardForm {
	readonly learn: "impression" | "decision" | "windowClose";
	readonly combine: "sum" | "max" | "first" | "last";
	readonly range: readonly [number, number];
	readonly default: number;
}

export const UNITS = 3;
/** Where a world's time begins. */
export const BEFORE_NOW_MS = 33 * 60_000;
