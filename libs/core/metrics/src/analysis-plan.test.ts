import { expect, it } from "vitest";
import { analysisPlan } from "./index.js";

const planOf = (primary: object, control = 0.1) =>
	analysisPlan({
		metrics: {
			primary: {
				metric: "reward",
				smallestEffect: 0.02,
				plannedUnits: 20_000,
				...primary,
			},
			secondary: [],
			define: [],
		},
		traffic: { share: 1, control, baseline: "uniform" },
	});

it("takes the standard error at the planned size from the declared spread: 0.4 · √(1/18,000 + 1/2,000)", () => {
	const plan = planOf({ spread: 0.4 })!;
	expect(plan.standardError).toBeCloseTo(0.4 * Math.sqrt(1 / 1_800), 15);
	expect(plan.assumed).toBe(false);
	expect(plan.tau / plan.standardError).toBeCloseTo(2.82, 12);
});

it("takes the spread of an expected rate p for √(p(1 − p))", () => {
	expect(planOf({ expected: 0.2 })!.standardError).toBeCloseTo(
		planOf({ spread: 0.4 })!.standardError,
		15,
	);
});

it("makes it of the smallest effect where nothing is said: 0.02 / 2.8", () => {
	const plan = planOf({})!;
	expect(plan.standardError).toBeCloseTo(0.02 / 2.8, 15);
	expect(plan.assumed).toBe(true);
});

it("has an interval at the planned size that is 1.549 times that of a fixed horizon, by the construction", () => {
	const { halfWidth, standardError, detectable, tau } = planOf({
		spread: 0.4,
	})!;
	expect(halfWidth / (1.959964 * standardError)).toBeCloseTo(1.549, 3);
	// √((1 + 1/m)(log(1 + m) + 2 log(1/α))) standard errors, m = τ²/SE².
	const m = (tau / standardError) ** 2;
	expect(halfWidth / standardError).toBeCloseTo(
		Math.sqrt((1 + 1 / m) * (Math.log(1 + m) + 2 * Math.log(20))),
		12,
	);
	expect((detectable - halfWidth) / standardError).toBeCloseTo(0.8416, 4);
});

it("is none without a primary metric, or where nobody or everybody is control", () => {
	expect(planOf({}, 0)).toBeNull();
	expect(planOf({}, 1)).toBeNull();
	const traffic = { share: 1, control: 0.1, baseline: "uniform" };
	expect(analysisPlan({ traffic })).toBeNull();
});
