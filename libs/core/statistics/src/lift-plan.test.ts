import { expect, test } from "vitest";
import { mixtureScale, plannedStandardError, rateSpread } from "./lift-plan.js";

test("the planner's SE is that of a difference of two groups' means", () => {
	// 0.4 · √(1/9,000 + 1/1,000) = 0.4/30.
	expect(
		plannedStandardError({ spread: 0.4, units: 10_000, control: 0.1 }),
	).toBeCloseTo(0.4 / 30, 14);
	expect(rateSpread(0.2)).toBeCloseTo(0.4, 14);
	expect(mixtureScale(0.01)).toBeCloseTo(0.0282, 14);
});
