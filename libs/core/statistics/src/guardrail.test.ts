import { describe, expect, it } from "vitest";
import {
	DEFAULT_FIRST_LOOK,
	type GuardrailLook,
	type GuardrailRule,
	lookAtGuardrail,
} from "./guardrail.js";
import type { Range } from "./lift.js";
import { oneSidedMixtureBoundary } from "./normal-mixture.js";
import type { UnitRatio } from "./unit-moments.js";

const level = {
	alpha: 0.05,
	tau: 0.04,
	range: [0, 1] as const,
	rest: 0,
	isRate: true,
	firstLook: DEFAULT_FIRST_LOOK,
};
const group = (changes: Partial<UnitRatio> = {}): UnitRatio => ({
	units: 1_000,
	n: 10_000,
	ratio: 0.4,
	variance: 0.01 ** 2,
	...changes,
});
const max: GuardrailRule = { kind: "max", limit: 0.35 };

type Told = Exclude<GuardrailLook, { kind: "waiting" }>;

function told(
	rule: GuardrailRule,
	policy: Partial<UnitRatio> = {},
	control: UnitRatio | null = null,
): Told {
	const look = lookAtGuardrail(rule, group(policy), control, level);
	if (look.kind === "waiting") throw new Error(look.reason);
	return look;
}

describe("a guardrail", () => {
	it("is breached once its one-sided bound is beyond the limit", () => {
		const look = told(max);
		// In the clock 1/0.01², ρ = 1/0.04².
		const u = oneSidedMixtureBoundary(1e4, 625, 0.05);
		expect(look.atLeast).toBeCloseTo(0.05 - u / 1e4, 12);
		expect(look).toMatchObject({ kind: "breached", value: 0.4, limit: 0.35 });
		expect(told(max, { ratio: 0.37 }).kind).toBe("holds");
		expect(told(max, { ratio: 0.1 }).kind).toBe("holds");
	});

	it("with a least value looks the other way", () => {
		const min: GuardrailRule = { kind: "min", limit: 0.45 };
		expect(told(min).excess).toBeCloseTo(0.05, 14);
		expect(told(min).kind).toBe("breached");
		expect(told(min, { ratio: 0.5 }).kind).toBe("holds");
	});

	it("against control allows a margin, in the direction that is worse", () => {
		const control = group({ ratio: 0.33, variance: 0.006 ** 2 });
		const higher = {
			kind: "versusControl",
			margin: 0.01,
			worse: "higher",
		} as const;
		const look = told(higher, { variance: 0.008 ** 2 }, control);
		expect(look.standardError).toBeCloseTo(0.01, 14);
		expect(look.limit).toBeCloseTo(0.34, 14);
		expect(look).toMatchObject({ kind: "breached" });
		expect(told({ ...higher, margin: 0.06 }, {}, control).kind).toBe("holds");
		expect(told({ ...higher, worse: "lower" }, {}, control).kind).toBe("holds");
		const lower = told({ ...higher, worse: "lower" }, { ratio: 0.26 }, control);
		expect(lower.excess).toBeCloseTo(0.06, 14);
		expect(lower.kind).toBe("breached");
	});

	it("waits for its first look, and says what for", () => {
		const look = (
			policy: UnitRatio,
			control: UnitRatio | null,
			rule: GuardrailRule = max,
		) => lookAtGuardrail(rule, policy, control, level);
		const versus: GuardrailRule = {
			kind: "versusControl",
			margin: 0,
			worse: "lower",
		};
		expect(look(group({ units: 99 }), null)).toEqual({
			kind: "waiting",
			reason: "99 units in the policy group, where 100 are needed",
		});
		expect(look(group({ n: 99 }), null)).toMatchObject({
			reason: "99 decisions in the policy group, where 100 are needed",
		});
		expect(look(group(), group({ units: 3 }), versus)).toMatchObject({
			reason: "3 units in the control group, where 100 are needed",
		});
		expect(look(group(), null, versus)).toMatchObject({ kind: "waiting" });
		// A limit needs no control.
		expect(look(group(), group({ units: 3 })).kind).toBe("breached");
	});

	it("against control does not take control's rate for better known than it is", () => {
		// By chance control had 2 events in 400 decisions, where the policy has 80 in 4,000: at the limit it would have 8.
		const policy = { n: 4_000, ratio: 0.02, variance: (0.02 * 0.98) / 4_000 };
		const few = group({
			n: 400,
			ratio: 0.005,
			variance: (0.005 * 0.995) / 400,
		});
		const rule = { kind: "versusControl", margin: 0, worse: "higher" } as const;
		expect(told(rule, policy, few).standardError).toBeCloseTo(
			Math.sqrt((0.02 * 0.98) / 4_000 + (0.02 * 0.98) / 400),
			12,
		);
	});

	it("does not take a rate that has shown nothing yet for one that is known to be nothing", () => {
		// No save in 120 decisions of 120 listeners, where one in a hundred is enough: that is chance.
		const nothing = { units: 120, n: 120, ratio: 0, variance: 0 };
		const rule: GuardrailRule = { kind: "min", limit: 0.01 };
		const look = told(rule, nothing);
		expect(look.kind).toBe("holds");
		expect(look.standardError).toBeCloseTo(Math.sqrt((0.01 * 0.99) / 120), 14);
	});

	describe("of a metric that is no rate", () => {
		const lookAs =
			(range: Range, rule: GuardrailRule, control: UnitRatio | null = null) =>
			(policy: Partial<UnitRatio>) =>
				lookAtGuardrail(rule, group(policy), control, {
					...level,
					isRate: false,
					range,
				});

		it("that earns nothing at all where something must be, is breached once that is no chance", () => {
			for (const low of [0, -1]) {
				const look = lookAs([low, 8], { kind: "min", limit: 0.1 });
				const nothing = (n: number) => look({ n, ratio: 0, variance: 0 });
				const most = (0.1 - low) * 7.9;
				expect(nothing(120)).toMatchObject({
					kind: "holds",
					standardError: Math.sqrt(most / 120),
				});
				expect(nothing(30_000).kind).toBe("breached");
				// A few events since then do not make it surer.
				expect(
					look({ n: 120, ratio: 0.01, variance: 0.005 ** 2 }),
				).toMatchObject({ standardError: Math.sqrt(most / 120) });
			}
		});

		it("that has no upper end cannot be judged by nothing at all, and says why", () => {
			const look = lookAs([0, Number.POSITIVE_INFINITY], {
				kind: "min",
				limit: 0.1,
			});
			expect(look({ n: 9_000, ratio: 0, variance: 0 })).toEqual({
				kind: "waiting",
				reason: expect.stringMatching(/policy nothing but 0 was seen/),
			});
			expect(look({ ratio: 0.03, variance: 0.01 ** 2 })).toMatchObject({
				kind: "waiting",
				reason: expect.stringMatching(/rests on a few events/),
			});
			expect(look({ ratio: 0.06, variance: 0.01 ** 2 }).kind).not.toBe(
				"waiting",
			);
		});

		it("is held against what its own decisions vary, away from the ends of its range", () => {
			const look = lookAs([-8, 8], { kind: "max", limit: 0.35 });
			expect(look({})).toMatchObject({ standardError: 0.01 });
			// Near nothing, but not on the way from there to the limit.
			expect(look({ ratio: -0.01, variance: 0.01 ** 2 })).toMatchObject({
				standardError: 0.01,
			});
		});

		it("against control takes neither for better known than the other tells", () => {
			const rule = {
				kind: "versusControl",
				margin: 0,
				worse: "lower",
			} as const;
			const control = group({ n: 1_000, ratio: 0.4, variance: 0.02 ** 2 });
			const look = lookAs([0, Number.POSITIVE_INFINITY], rule, control);
			expect(look({ n: 4_000, ratio: 0, variance: 0 })).toMatchObject({
				kind: "breached",
				standardError: Math.sqrt(0.01 ** 2 + 0.02 ** 2),
			});
			expect(look({ n: 4_000, ratio: 0.4, variance: 0.02 ** 2 })).toMatchObject(
				{
					standardError: Math.sqrt(0.02 ** 2 + 4 * 0.02 ** 2),
				},
			);
		});

		it("that never differs from what it must not be below waits", () => {
			const look = lookAs(
				[0, 8],
				{
					kind: "versusControl",
					margin: 0,
					worse: "lower",
				},
				group({ ratio: 0, variance: 0 }),
			);
			expect(look({ ratio: 0, variance: 0 })).toMatchObject({
				kind: "waiting",
				reason: expect.stringContaining("same"),
			});
		});
	});
});
