import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Event } from "#core/log";
import { isFuture, type Reward, settle } from "./index.js";

const T = 1_700_000_000_000;
const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** play 0.25, complete 0.75, skip −0.25 within 30 s, rating its own value; window 30 min; range [−1, 2]. */
const rules = (changes: Partial<Reward> = {}): Reward => ({
	learn: "impression",
	windowMs: 30 * MINUTE,
	default: 0,
	combine: "sum",
	range: [-1, 2],
	outcomes: [
		{ type: "play", value: 0.25 },
		{ type: "complete", value: 0.75 },
		{ type: "skip", value: -0.25, withinMs: 30 * SECOND },
		{ type: "rating" },
	],
	...changes,
});

let serial = 0;
const event = (
	type: string,
	after = SECOND,
	rest: Partial<Event> = {},
): Event => ({
	id: `e${++serial}`,
	type,
	at: T + after,
	unit: "u",
	...rest,
});
const retractOf = (
	target: Event,
	after = 2 * SECOND,
	rest: Partial<Event> = {},
) => event("retract", after, { retracts: target.id, ...rest });

/** [E, R, verdict per event in order] */
function outcome(
	reward: Reward,
	...events: Event[]
): [number, number, ...(string | undefined)[]] {
	const { exposed, reward: r, verdicts } = settle(reward, T, events);
	return [
		exposed,
		r,
		...events.map(({ id }) => {
			const judged = verdicts.get(id);
			return judged?.detail ?? judged?.verdict;
		}),
	];
}

describe("exposure and reward of a decision", () => {
	it("are 0 and the default while nothing came", () => {
		expect(outcome(rules())).toEqual([0, 0]);
		expect(outcome(rules({ default: 0.5 }))).toEqual([0, 0.5]);
		expect(outcome(rules({ learn: "decision", default: 0.5 }))).toEqual([
			1, 0.5,
		]);
	});

	it("are 1 and the default when it was only shown", () => {
		expect(outcome(rules({ default: -0.5 }), event("impression"))).toEqual([
			1,
			-0.5,
			"unlisted",
		]);
	});

	it("do not add the default to what was earned", () => {
		expect(
			outcome(rules({ default: 1 }), event("impression"), event("play")),
		).toEqual([1, 0.25, "unlisted", "applied"]);
	});

	it("take any other event as proof of exposure", () => {
		expect(outcome(rules(), event("click"))).toEqual([1, 0, "unlisted"]);
		expect(outcome(rules(), event("play"))).toEqual([1, 0.25, "applied"]);
	});

	it("sum exactly and clip the sum, not its parts", () => {
		const ten = Array.from({ length: 10 }, () => event("complete"));
		expect(outcome(rules(), ...ten)[1]).toBe(2);
		expect(
			outcome(rules(), ...ten, event("rating", 1, { value: -6.5 }))[1],
		).toBe(1);
		expect(outcome(rules(), event("rating", 1, { value: -100 }))[1]).toBe(-1);
	});

	it("take the definition's value where it has one, and round the event's own to the grid", () => {
		expect(outcome(rules(), event("play", 1, { value: 7 }))[1]).toBe(0.25);
		expect(outcome(rules(), event("rating", 1, { value: 0.3 }))[1]).toBe(
			1229 / 4096,
		);
	});

	it("refuse an event that needs a value and has none: it proves nothing", () => {
		expect(outcome(rules(), event("rating"))).toEqual([0, 0, "missing"]);
		expect(outcome(rules(), event("rating"), event("impression"))).toEqual([
			1,
			0,
			"missing",
			"unlisted",
		]);
	});

	it("refuse a value too large to be summed exactly", () => {
		expect(
			outcome(rules(), event("rating", 1, { value: 2 ** 20 + 1 })),
		).toEqual([0, 0, "too large"]);
		expect(outcome(rules(), event("rating", 1, { value: Number.NaN }))).toEqual(
			[0, 0, "too large"],
		);
	});

	it("never say −0", () => {
		expect(
			Object.is(
				outcome(rules(), event("rating", 1, { value: -0.00001 }))[1],
				0,
			),
		).toBe(true);
		expect(Object.is(outcome(rules({ default: -0 }))[1], 0)).toBe(true);
	});
});

describe("time", () => {
	it("outside `within` earns nothing but proves exposure", () => {
		expect(outcome(rules(), event("skip", 30 * SECOND))).toEqual([
			1,
			-0.25,
			"applied",
		]);
		expect(
			outcome(rules({ default: 0.5 }), event("skip", 30 * SECOND + 1)),
		).toEqual([1, 0.5, "outside within"]);
	});

	it("past the window proves nothing", () => {
		expect(outcome(rules(), event("play", 30 * MINUTE))).toEqual([
			1,
			0.25,
			"applied",
		]);
		expect(outcome(rules(), event("play", 30 * MINUTE + 1))).toEqual([
			0,
			0,
			"late",
		]);
	});

	it("up to 5 minutes before the decision counts as at the decision, earlier is ignored", () => {
		expect(outcome(rules(), event("skip", -5 * MINUTE))).toEqual([
			1,
			-0.25,
			"applied",
		]);
		expect(outcome(rules(), event("skip", -5 * MINUTE - 1))).toEqual([
			0,
			0,
			"early",
		]);
	});

	it("more than 5 minutes ahead of the stream's clock is the future", () => {
		expect(isFuture(T + 5 * MINUTE, T)).toBe(false);
		expect(isFuture(T + 5 * MINUTE + 1, T)).toBe(true);
	});
});

describe("a retract", () => {
	it("takes back reward and exposure, whichever came first", () => {
		const click = event("click");
		const play = event("play");
		for (const events of [
			[click, retractOf(click)],
			[retractOf(click), click],
		])
			expect(settle(rules(), T, events)).toMatchObject({
				exposed: 0,
				reward: 0,
			});
		expect(outcome(rules(), play, retractOf(play))).toEqual([
			0,
			0,
			"retracted",
			"applied",
		]);
		expect(outcome(rules(), click, play, retractOf(play))).toEqual([
			1,
			0,
			"unlisted",
			"retracted",
			"applied",
		]);
	});

	it("alone proves nothing", () => {
		expect(
			outcome(rules(), event("retract", 1, { retracts: "nothing" })),
		).toEqual([0, 0, "nothing to retract"]);
		expect(outcome(rules(), event("retract", 1))).toEqual([
			0,
			0,
			"nothing to retract",
		]);
	});

	it("is judged by its own time", () => {
		const play = event("play");
		expect(outcome(rules(), play, retractOf(play, 30 * MINUTE))).toEqual([
			0,
			0,
			"retracted",
			"applied",
		]);
		expect(outcome(rules(), play, retractOf(play, 30 * MINUTE + 1))).toEqual([
			1,
			0.25,
			"applied",
			"late",
		]);
		expect(outcome(rules(), play, retractOf(play, -5 * MINUTE))).toEqual([
			0,
			0,
			"retracted",
			"applied",
		]);
		expect(outcome(rules(), play, retractOf(play, -5 * MINUTE - 1))).toEqual([
			1,
			0.25,
			"applied",
			"early",
		]);
	});

	it("cannot itself be taken back", () => {
		const play = event("play");
		const first = retractOf(play);
		expect(outcome(rules(), play, first, retractOf(first))).toEqual([
			0,
			0,
			"retracted",
			"applied",
			"not retractable",
		]);
		const itself = event("retract", 1, { id: "self", retracts: "self" });
		expect(outcome(rules(), play, itself)).toEqual([
			1,
			0.25,
			"applied",
			"not retractable",
		]);
	});

	it("of an event past the window leaves it late", () => {
		const play = event("play", 31 * MINUTE);
		expect(outcome(rules(), play, retractOf(play))).toEqual([
			0,
			0,
			"late",
			"applied",
		]);
	});

	it("does not unlearn a decision that teaches whether shown or not", () => {
		const play = event("play");
		expect(
			outcome(
				rules({ learn: "decision", default: 0.5 }),
				play,
				retractOf(play),
			),
		).toEqual([1, 0.5, "retracted", "applied"]);
	});
});

describe("combine", () => {
	const rating = (value: number, after: number, id: string) =>
		event("rating", after, { value, id });
	const three = [
		rating(0.5, 20, "b"),
		rating(1.5, 30, "c"),
		rating(-0.5, 10, "a"),
	];

	it.each([
		["sum", 1.5, ["applied", "applied", "applied"]],
		["max", 1.5, ["superseded", "applied", "superseded"]],
		["first", -0.5, ["superseded", "superseded", "applied"]],
		["last", 1.5, ["superseded", "applied", "superseded"]],
	] as const)("%s", (combine, value, verdicts) => {
		expect(outcome(rules({ combine }), ...three)).toEqual([
			1,
			value,
			...verdicts,
		]);
	});

	it("first and last go by (at, event id), where before the decision is at the decision", () => {
		const a = rating(1, -MINUTE, "a");
		const b = rating(0.5, -2 * MINUTE, "b");
		expect(outcome(rules({ combine: "first" }), a, b)[1]).toBe(1);
		expect(outcome(rules({ combine: "last" }), a, b)[1]).toBe(0.5);
	});

	it("takes only what earns: an exposure is not the last outcome", () => {
		expect(
			outcome(
				rules({ combine: "last" }),
				event("play", 10),
				event("impression", 20),
			)[1],
		).toBe(0.25);
	});
});

describe("for every set of outcomes", () => {
	const outcomes = fc.array(
		fc.record({
			id: fc.constantFrom("a", "b", "c", "d", "e", "f", "g"),
			type: fc.constantFrom(
				"impression",
				"play",
				"complete",
				"skip",
				"rating",
				"click",
				"retract",
			),
			at: fc
				.constantFrom(-6, -5, -1, 0, 0.25, 0.75, 1, 29, 30, 31)
				.map((minutes) => T + minutes * MINUTE),
			value: fc.option(fc.double({ min: -4, max: 4, noNaN: true }), {
				nil: undefined,
			}),
			retracts: fc.option(fc.constantFrom("a", "b", "c", "d", "e", "f", "g"), {
				nil: undefined,
			}),
		}),
		{ maxLength: 12 },
	);
	const unique = outcomes.map(
		(list) =>
			[
				...new Map(
					list.map((item) => [item.id, { ...item, unit: "u" }]),
				).values(),
			] as Event[],
	);
	const reward = fc
		.record({
			learn: fc.constantFrom("impression", "decision", "windowClose"),
			combine: fc.constantFrom("sum", "max", "first", "last"),
			default: fc.constantFrom(0, 0.5, -1),
		})
		.map((changes) => rules(changes as Partial<Reward>));

	it("any permutation and repetition gives the same reward, exposure and verdicts", () => {
		fc.assert(
			fc.property(
				unique.chain((events) =>
					fc.tuple(
						fc.constant(events),
						fc.shuffledSubarray(events, { minLength: events.length }),
						fc.subarray(events),
						reward,
					),
				),
				([events, shuffled, again, definition]) => {
					const one = settle(definition, T, events);
					const other = settle(definition, T, [
						...again,
						...shuffled,
						...again,
					]);
					expect(Object.is(other.reward, one.reward)).toBe(true);
					expect(other.exposed).toBe(one.exposed);
					expect([...other.verdicts].sort()).toEqual([...one.verdicts].sort());
					expect(one.verdicts.size).toBe(events.length);
				},
			),
			{ numRuns: 2000 },
		);
	});

	it("the reward is within range or the default, and on the grid", () => {
		fc.assert(
			fc.property(unique, reward, (events, definition) => {
				const { reward: r } = settle(definition, T, events);
				expect(Number.isInteger(r * 4096)).toBe(true);
				expect((r >= -1 && r <= 2) || r === definition.default).toBe(true);
			}),
		);
	});

	it("agrees with the reward read straight from the definition's words", () => {
		fc.assert(
			fc.property(unique, (events) => {
				const inTime = (at: number) =>
					at >= T - 5 * MINUTE && at <= T + 30 * MINUTE;
				const standing = events.filter(
					(e) =>
						e.type !== "retract" &&
						inTime(e.at) &&
						!(e.type === "rating" && e.value === undefined) &&
						!events.some(
							(r) =>
								r.type === "retract" && inTime(r.at) && r.retracts === e.id,
						),
				);
				const earned = standing.flatMap((e) => {
					if (e.type === "play") return [0.25];
					if (e.type === "complete") return [0.75];
					if (e.type === "skip")
						return Math.max(0, e.at - T) <= 30 * SECOND ? [-0.25] : [];
					return e.type === "rating"
						? [Math.round((e.value as number) * 4096) / 4096]
						: [];
				});
				const sum = earned.reduce((a, b) => a + b, 0);
				const expected =
					earned.length === 0 ? 0 : Math.min(2, Math.max(-1, sum));
				const settled = settle(rules(), T, events);
				expect(settled.exposed).toBe(standing.length > 0 ? 1 : 0);
				expect(settled.reward).toBeCloseTo(expected, 15);
			}),
			{ numRuns: 2000 },
		);
	});
});
