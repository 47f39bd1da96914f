import { afterEach, expect, it, vi } from "vitest";
import {
	atLeast,
	atMost,
	failWhereMissed,
	isKept,
} from "../../bench/support/goals.js";

afterEach(() => {
	vi.restoreAllMocks();
	process.exitCode = undefined;
});

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

it("a missed goal is named with its figure and its bound, and ends the process with 1", () => {
	const said = vi.spyOn(console, "error").mockReturnValue();
	failWhereMissed([atMost("stall", 20, 20, "ms")]);
	expect(said).not.toHaveBeenCalled();
	expect(process.exitCode).toBeUndefined();
	failWhereMissed([
		atMost("stall", 19, 20, "ms"),
		atLeast("learn", 9_876, 10_000, "pairs/s"),
	]);
	expect(said.mock.calls).toEqual([
		["learn: 9,880 pairs/s where at least 10,000 is wanted"],
	]);
	expect(process.exitCode).toBe(1);
});
