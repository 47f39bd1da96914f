import { expect, it } from "vitest";
import { atLeast, atMost, isKept } from "../../bench/support/goals.js";

it("a bound itself keeps a goal, and what was not measured keeps none", () => {
	const kept = (value: number) => [
		isKept(atMost("stall", value, 20, "ms")),
		isKept(atLeast("learn", value, 20, "pairs/s")),
	];
	expect(kept(20)).toEqual([true, true]);
	expect(kept(20.1)).toEqual([false, true]);
	expect(kept(19.9)).toEqual([true, false]);
	expect(kept(Number.NaN)).toEqual([false, false]);
});
