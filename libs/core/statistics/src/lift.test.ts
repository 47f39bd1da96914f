import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	type EpochGroups,
	type LiftLevel,
	lift,
	type ShownLift,
	whyNotYet,
} from "./lift.js";
import { mixtureScale } from "./lift-plan.js";
import type { UnitRatio } from "./unit-moments.js";

const level = { alpha: 0.05, tau: 0.0282 };
const group = (changes: Partial<UnitRatio> = {}): UnitRatio => ({
	units: 1_000,
	n: 5_000,
	ratio: 0.3,
	variance: 0.003 ** 2,
	...changes,
});
const epoch = (
	policy: Partial<UnitRatio> = {},
	control: Partial<UnitRatio> = {},
): EpochGroups => ({
	policy: group(policy),
	control: group({ variance: 0.004 ** 2, ...control }),
});

function shown(
	epochs: readonly EpochGroups[],
	at: LiftLevel = level,
): ShownLift {
	const result = lift(epochs, at);
	if (result.kind !== "shown") throw new Error(result.reason);
	return result;
}

describe("the lift", () => {
	it("is policy minus control with the mixture's interval", () => {
		const got = shown([epoch({ ratio: 0.35 })]);
		// SE = √(0.003² + 0.004²) = 0.005; m = (0.0282/0.005)².
		const m = 5.64 ** 2;
		const half =
			0.005 * Math.sqrt((1 + 1 / m) * (Math.log(1 + m) + 2 * Math.log(20)));
		expect(got.lift).toBeCloseTo(0.05, 14);
		expect(got.standardError).toBeCloseTo(0.005, 14);
		expect(got.low).toBeCloseTo(0.05 - half, 14);
		expect(got.high).toBeCloseTo(0.05 + half, 14);
		expect(got.weights).toEqual([1]);
	});

	it("has a p-value below α exactly where its interval leaves zero out", () => {
		const ratios = fc.double({ min: 0.2, max: 0.4, noNaN: true });
		fc.assert(
			fc.property(ratios, (ratio) => {
				const { low, high, pValue } = shown([epoch({ ratio })]);
				expect(pValue < level.alpha).toBe(low > 0 || high < 0);
			}),
		);
	});

	it("is 1.549 times as wide as at a fixed horizon at the planned size, and at most 1.75 times from a quarter to 25 times the information", () => {
		const widthAt = (share: number) => {
			const planned = 0.005 * Math.sqrt(share);
			const { low, high, standardError } = shown([epoch()], {
				alpha: 0.05,
				tau: mixtureScale(planned),
			});
			return (high - low) / 2 / standardError / 1.959963984540054;
		};
		expect(widthAt(1)).toBeCloseTo(1.549, 3);
		for (let share = 0.25; share <= 25; share *= 1.1)
			expect(widthAt(share)).toBeLessThanOrEqual(1.75);
	});

	it("waits until each group has a hundred listeners, and says how many there are", () => {
		expect(lift([epoch({ units: 99 })], level)).toEqual({
			kind: "withheld",
			reason:
				"not enough listeners yet: 99 in the policy group, where 100 are needed",
		});
		expect(whyNotYet(epoch({}, { units: 7 }))).toContain("7 in the control");
		expect(whyNotYet(epoch({ units: 100 }, { units: 100 }))).toBeNull();
		expect(lift([], level).kind).toBe("withheld");
	});

	it("waits until control has shown both a zero and another value", () => {
		for (const variance of [0, Number.NaN])
			expect(whyNotYet(epoch({}, { variance }))).toContain("zero");
	});

	it("of a metric whose range is known waits until no mean is within four standard errors of its end", () => {
		const near = [epoch({ ratio: 0.03 }, { ratio: 0.0159 })];
		const plain = [epoch({}, { ratio: 0.0159 })];
		expect(lift(plain, { ...level, range: [0, 1] }).kind).toBe("shown");
		expect(whyNotYet(near[0] as EpochGroups)).toBeNull();
		expect(lift(near, { ...level, range: [0, 1] })).toEqual({
			kind: "withheld",
			reason: expect.stringContaining(
				"standard errors from 0, where 4 are needed",
			),
		});
		for (const [policy, control] of [
			[{ ratio: 0.9881 }, { ratio: 0.97 }],
			[{ ratio: 0.0119 }, { ratio: 0.03 }],
		] as const)
			expect(whyNotYet(epoch(policy, control), [0, 1])).toContain("events");
		expect(whyNotYet(epoch({}, { ratio: 0.0161 }), [0, 1])).toBeNull();
		expect(whyNotYet(epoch(), [0, Infinity])).toBeNull();
	});

	it("of a rare event says whose mean rests on a few, and about how many more listeners it takes", () => {
		// Two SE from zero, where four are needed: four times the listeners.
		const near = epoch(
			{ ratio: 0.02 },
			{ ratio: 0.01, variance: 0.005 ** 2, units: 700 },
		);
		expect(whyNotYet(near, [0, 1])).toBe(
			"not enough listeners yet: the mean of control, 0.01, rests on a few events, so that a few more or less would turn the comparison (it is 2 standard errors from 0, where 4 are needed); about 2,100 more listeners of control, at the pace so far",
		);
		const both = epoch({ ratio: 0.003 }, { ratio: 0.01 });
		expect(whyNotYet(both, [0, 1])).toMatch(
			/the mean of the policy, 0\.003, .*about 15,000 more listeners of the policy/,
		);
		expect(lift([near, near], { ...level, range: [0, 1] })).toMatchObject({
			reason: expect.stringMatching(/about 4,200 more listeners of control/),
		});
	});

	it("of a group that has shown nothing but an end of the range waits, unless the other is far from it", () => {
		const none = { ratio: 0, variance: 0 };
		const why = whyNotYet(epoch(none, { ratio: 0.03 }), [0, 1]);
		expect(why).toMatch(/of the policy nothing but 0 was seen/);
		expect(whyNotYet(epoch(none), [0, 1])).toBeNull();
	});

	it("needs an α and a τ", () => {
		for (const wrong of [{ alpha: 0 }, { alpha: 1 }, { tau: 0 }])
			expect(() => lift([epoch()], { ...level, ...wrong })).toThrow(RangeError);
	});
});

describe("the lift over epochs", () => {
	it("weighs each by the policy's decisions in it, and adds standard errors as if they went together", () => {
		const got = shown([
			epoch({ n: 9_000, ratio: 0.4 }, { ratio: 0.3 }),
			epoch(
				{ n: 3_000, ratio: 0.6 },
				{ ratio: 0.55, variance: 0 + 0.004 ** 2 },
			),
		]);
		expect(got.weights).toEqual([0.75, 0.25]);
		expect(got.lift).toBeCloseTo(0.75 * 0.1 + 0.25 * 0.05, 14);
		expect(got.policyMean).toBeCloseTo(0.45, 14);
		expect(got.controlMean).toBeCloseTo(0.3625, 14);
		expect(got.standardError).toBeCloseTo(0.005, 14);
	});

	it("leaves out an epoch that has too few listeners as yet", () => {
		const first = epoch({ ratio: 0.35 });
		expect(shown([first, epoch({ n: 40 }, { units: 20, ratio: 0 })])).toEqual({
			...shown([first]),
			weights: [1, 0],
		});
	});

	it("is the same when an epoch is cut in two halves that are alike", () => {
		const whole = shown([epoch({ ratio: 0.35 })]);
		const halves = shown([epoch({ ratio: 0.35 }), epoch({ ratio: 0.35 })]);
		expect(halves.lift).toBeCloseTo(whole.lift, 14);
		expect(halves.low).toBeCloseTo(whole.low, 14);
	});

	it("shows no lift where none is but control's share has changed, as pooled sums would", () => {
		// The metric rises from 0.2 to 0.5 for all; control has a tenth of the first epoch and half of the second.
		const epochs = [
			epoch({ n: 9_000, ratio: 0.2 }, { n: 1_000, ratio: 0.2 }),
			epoch({ n: 5_000, ratio: 0.5 }, { n: 5_000, ratio: 0.5 }),
		];
		const pooled = (name: "policy" | "control") =>
			epochs.reduce((sum, { [name]: { n, ratio } }) => sum + n * ratio, 0) /
			epochs.reduce((sum, { [name]: { n } }) => sum + n, 0);
		expect(pooled("policy") - pooled("control")).toBeCloseTo(-0.143, 3);
		expect(shown(epochs).lift).toBeCloseTo(0, 14);
	});
});

describe("the relative lift", () => {
	function relativeOf(epochs: readonly EpochGroups[]) {
		const { relative } = shown(epochs);
		if (relative.kind !== "shown") throw new Error(relative.reason);
		return relative;
	}

	it("holds all values whose own sequence holds zero, and no other", () => {
		const got = relativeOf([epoch({ ratio: 0.36 })]);
		const {
			low,
			high,
			lift: difference,
			standardError,
		} = shown([epoch({ ratio: 0.36 })]);
		const width = (high - difference) / standardError;
		expect(got.lift).toBeCloseTo(0.2, 12);
		for (const end of [got.low, got.high]) {
			const r = 1 + end;
			const distance = Math.abs(0.36 - r * 0.3);
			const error = Math.sqrt(0.003 ** 2 + r * r * 0.004 ** 2);
			expect(distance).toBeCloseTo(width * error, 12);
		}
		expect(got.low).toBeLessThan(0.2);
		expect(got.high).toBeGreaterThan(0.2);
		expect(low).toBeLessThan(high);
	});

	it("is above zero exactly where the lift is", () => {
		const ratios = fc.double({ min: 0.2, max: 0.4, noNaN: true });
		fc.assert(
			fc.property(ratios, (ratio) => {
				const { low, high } = relativeOf([epoch({ ratio })]);
				const absolute = shown([epoch({ ratio })]);
				expect(low > 0).toBe(absolute.low > 0);
				expect(high < 0).toBe(absolute.high < 0);
			}),
		);
	});

	it("over epochs holds at least what each value's own sequence does", () => {
		const epochs = [
			epoch({ n: 9_000, ratio: 0.4 }, { ratio: 0.3, variance: 0.009 ** 2 }),
			epoch({ n: 3_000, ratio: 0.6, variance: 0.006 ** 2 }, { ratio: 0.55 }),
		];
		const all = shown(epochs);
		const width = (all.high - all.lift) / all.standardError;
		const { low, high, lift: middle } = relativeOf(epochs);
		expect(middle).toBeCloseTo(all.lift / all.controlMean, 12);
		for (const end of [low, high]) {
			const r = 1 + end;
			const error =
				0.75 * Math.hypot(0.003, r * 0.009) +
				0.25 * Math.hypot(0.006, r * 0.004);
			const distance = Math.abs(all.policyMean - r * all.controlMean);
			expect(distance).toBeGreaterThanOrEqual(width * error * (1 - 1e-9));
			expect(distance).toBeLessThan(width * error * 1.01);
		}
	});

	it("says better as better where control's mean is negative", () => {
		const got = shown([epoch({ ratio: -0.24 }, { ratio: -0.3 })]);
		expect(got.relative).toMatchObject({ kind: "shown" });
		expect(got.relative.kind === "shown" && got.relative.lift).toBeCloseTo(
			0.2,
			12,
		);
		if (got.relative.kind !== "shown") return;
		expect(got.relative.low).toBeGreaterThan(0.1);
		expect(got.relative.high).toBeLessThan(0.3);
	});

	it("is withheld while control's mean is within three standard errors of zero, or its own sequence holds zero", () => {
		for (const ratio of [0, 0.0119, -0.0119])
			expect(shown([epoch({}, { ratio })]).relative).toMatchObject({
				kind: "withheld",
				reason: expect.stringContaining("standard errors of zero"),
			});
		// The lift's own width is about 3.05 here: 3.2 standard errors are enough.
		for (const ratio of [0.0128, -0.0128])
			expect(relativeOf([epoch({}, { ratio })]).high).toBeLessThan(Infinity);
		// A wide τ is narrow late: the width is below 3, three standard errors are asked for all the same.
		const late = { alpha: 0.2, tau: 0.0282 };
		expect(shown([epoch({}, { ratio: 0.0119 })], late).relative).toMatchObject({
			reason: expect.stringContaining("within 3 standard errors"),
		});
		expect(shown([epoch({}, { ratio: 0.0121 })], late).relative.kind).toBe(
			"shown",
		);
	});
});
