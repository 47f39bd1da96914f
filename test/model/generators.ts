import fc from "fast-check";
import {
	BEFORE_NOW_MS,
	type Command,
	type Delivery,
	EVENT_TYPES,
	type RewardForm,
	UNITS,
} from "./commands.js";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

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

type Happening = Extract<Command, { readonly what: "happen" }>;

/** Two of which the definition may choose one, at instants where the choice is close. */
const rivals: fc.Arbitrary<readonly Command[]> = fc
	.tuple(
		fc.tuple(happen, happen),
		fc.uniqueArray(fc.nat(3), { minLength: 2, maxLength: 2 }),
		fc.array(fc.constantFrom(-5 * MINUTE, -MINUTE, 0, SECOND, 30 * SECOND), {
			minLength: 2,
			maxLength: 2,
		}),
	)
	.map(([pair, ids, afters]) =>
		pair.map(
			(one, i): Happening => ({
				...one,
				decision: 0,
				id: ids[i] as number,
				type: i === 0 ? "rate" : "play",
				after: afters[i] as number,
				value: one.value ?? 0.5,
				by: "its unit",
				orphan: false,
			}),
		),
	);

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
	decision: fc.constantFrom(null, 0, 1, 2),
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
	.tuple(
		decide,
		fc.array(
			fc.oneof(
				{ weight: 19, arbitrary: command.map((one) => [one]) },
				{ weight: 1, arbitrary: rivals },
			),
			{ maxLength: 38, size: "max" },
		),
	)
	.map(([first, others]) => [first, ...others.flat()]);

export const rewardForm: fc.Arbitrary<RewardForm> = fc.record({
	learn: fc.constantFrom("impression", "decision", "windowClose"),
	combine: fc.constantFrom("sum", "max", "first", "last"),
	range: fc.constantFrom([-1, 2] as const, [0, 0.5] as const),
	default: fc.constantFrom(0, 0.125),
});
