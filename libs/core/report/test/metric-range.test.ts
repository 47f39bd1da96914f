import { expect, test } from "vitest";
import type { Reward } from "#core/experiment";
import { reachableRange } from "../src/metric-range.js";

const reward = (more: Partial<Reward>): Reward => ({
	learn: "impression",
	windowMs: 60_000,
	default: 0,
	combine: "sum",
	range: [-8, 8],
	outcomes: [{ type: "play", value: 0.3 }],
	...more,
});

test("a reward's range is what its outcomes can make of it, within the declared one", () => {
	expect(reachableRange(reward({}))).toEqual([0, 0.3]);
	const signed = [
		{ type: "play", value: 0.3 },
		{ type: "complete", value: 0.7 },
		{ type: "skip", value: -0.2 },
	];
	expect(reachableRange(reward({ outcomes: signed }))).toEqual([-0.2, 1]);
	expect(reachableRange(reward({ outcomes: signed, range: [0, 0.5] }))).toEqual(
		[0, 0.5],
	);
	expect(reachableRange(reward({ default: -1 }))).toEqual([-1, 0.3]);
});

test("where an outcome earns the event's own value it is the declared one", () => {
	expect(
		reachableRange(reward({ outcomes: [{ type: "rating" }], range: [0, 5] })),
	).toEqual([0, 5]);
});
