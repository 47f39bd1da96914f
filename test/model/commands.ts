import fc from "fast-check";

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
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Where a world's time begins. */
export const BEFORE_NOW_MS = 33 * MINUTE;

const unit = fc.nat(UNITS - 1);
const any = fc.nat(30);
const mostly = <T>(weight: number, first: T, ...others: T[]) =>
	fc.oneof(
		{ weight, arbitrary: fc.constant(first) },
		...others.map((other) => ({ weight: 1, arbitrary: fc.constant(other) })),
	);

const decide = fc.record({
	what: fc.constant("decide" as const),
	unit,
	arm: fc.nat(4),
	group: mostly<"policy" | "control" | "outside">(
		6,
		"policy",
		"control",
		"outside",
	),
	v: fc.integer({ min: -40, max: 40 }),
	ahead: mostly(16, 0, 6 * MINUTE, -6 * MINUTE),
	madeBefore: mostly(8, 0, 3 * MINUTE),
	pack: fc.boolean(),
	atOnce: fc.boolean(),
});

const happen = fc.record({
	what: fc.constant("happen" as const),
	decision: mostly(3, 0, 1, 2),
	id: fc.nat(3),
	type: fc.constantFrom(...EVENT_TYPES, "retract" as const),
	after: fc.oneof(
		{
			weight: 2,
			arbitrary: fc.constantFrom(SECOND, 5 * SECOND, 30 * SECOND, 3 * MINUTE),
		},
		{
			weight: 1,
			arbitrary: fc.constantFrom(
				30 * SECOND + 1,
				0,
				-MINUTE,
				-5 * MINUTE,
				-5 * MINUTE - 1,
				20 * MINUTE,
				20 * MINUTE + 1,
			),
		},
	),
	value: fc.constantFrom(null, 0.5, -0.25, 1.3, 0.3, 7),
	last: mostly(6, true, false),
	by: mostly<"its unit" | "a stranger">(7, "its unit", "a stranger"),
	orphan: mostly(12, false, true),
	pack: fc.boolean(),
	atOnce: fc.boolean(),
});

const signal = fc.record({
	what: fc.constant("signal" as const),
	unit,
	id: fc.nat(1),
	after: fc.constantFrom(0, -MINUTE, 6 * MINUTE),
});

const poison = fc.record({
	what: fc.constant("poison" as const),
	unit,
	form: fc.constantFrom(
		"no JSON" as const,
		"no event" as const,
		"in a pack" as const,
	),
});

const deliver = fc.record({
	what: fc.constant("deliver" as const),
	from: mostly(4, 0, 1, 2, 3),
	count: fc.integer({ min: 1, max: 6 }),
	how: mostly<Delivery>(
		5,
		"acknowledged",
		"crash in the transaction",
		"crash at its end",
		"crash before the acknowledgement",
		"to two learners",
		"to two learners",
	),
});

const withMessage = (
	what: "publish again" | "redeliver" | "hold back",
): fc.Arbitrary<Command> =>
	fc.record({ what: fc.constant(what), message: any });

const command: fc.Arbitrary<Command> = fc.oneof(
	{ weight: 12, arbitrary: decide },
	{ weight: 38, arbitrary: happen },
	{ weight: 3, arbitrary: signal },
	{ weight: 3, arbitrary: poison },
	{ weight: 4, arbitrary: withMessage("publish again") },
	{ weight: 4, arbitrary: withMessage("redeliver") },
	{ weight: 4, arbitrary: withMessage("hold back") },
	{
		weight: 2,
		arbitrary: fc.record({ what: fc.constant("release" as const) }),
	},
	{ weight: 22, arbitrary: deliver },
	{
		weight: 2,
		arbitrary: fc.record({ what: fc.constant("restart" as const) }),
	},
	{
		weight: 3,
		arbitrary: fc.record({
			what: fc.constant("erase" as const),
			unit,
			mayReturn: fc.boolean(),
		}),
	},
	{
		weight: 3,
		arbitrary: fc.record({ what: fc.constant("pause or resume" as const) }),
	},
	{
		weight: 1,
		arbitrary: fc.record({ what: fc.constant("add an arm" as const) }),
	},
	{
		weight: 2,
		arbitrary: fc.record({
			what: fc.constant("retire or return an arm" as const),
			arm: fc.nat(3),
		}),
	},
	{
		weight: 1,
		arbitrary: fc.record({
			what: fc.constant("change the reward" as const),
			byDefault: fc.constantFrom(0, 0.25, -0.5),
		}),
	},
	{
		weight: 4,
		arbitrary: fc.record({ what: fc.constant("close windows" as const) }),
	},
	{
		weight: 6,
		arbitrary: fc.record({
			what: fc.constant("clock" as const),
			by: fc.constantFrom(
				7 * SECOND,
				MINUTE,
				6 * MINUTE,
				26 * MINUTE,
				// To the minute that it is, when an erasure may fall between an event's own time and the stream's.
				BEFORE_NOW_MS,
				50 * MINUTE,
				-4 * MINUTE,
				-20 * MINUTE,
			),
		}),
	},
);

/** The first is a decision, without which little can happen. */
export const commands: fc.Arbitrary<readonly Command[]> = fc
	.tuple(decide, fc.array(command, { maxLength: 39, size: "max" }))
	.map(([first, others]) => [first, ...others]);

export const rewardForm: fc.Arbitrary<RewardForm> = fc.record({
	learn: fc.constantFrom("impression", "decision", "windowClose"),
	combine: fc.constantFrom("sum", "max", "first", "last"),
	range: fc.constantFrom([-1, 2] as const, [0, 0.5] as const),
	default: fc.constantFrom(0, 0.125),
});
