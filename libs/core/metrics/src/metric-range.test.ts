import { expect, test } from "vitest";
import type { Reward } from "#core/experiment";
import { reachableRange } from "./metric-range.js";

const reward = (more: Partial<Reward>): Reward => ({
	learn: "impression",
	windowMs: 60_000,
	default: 0,
	combine: "sum",
	range: [-8, 8],
	outcomes: [{ type: "play", value: 0.3 }],
	...more,
});

const signed = [
	{ type: "play", value: 0.3 },
	{ type: "complete", value: 0.7 },
	{ type: "skip", value: -0.2 },
];

test("a reward that is one outcome's is at most the best of them and at least the worst, within the declared range", () => {
	for (const combine of ["max", "first", "last"] as const) {
		const range = (more: Partial<Reward>) =>
			reachableRange(reward({ combine, ...more }));
		expect(range({})).toEqual([0, 0.3]);
		expect(range({ outcomes: signed })).toEqual([-0.2, 0.7]);
		expect(range({ outcomes: signed, range: [0, 0.5] })).toEqual([0, 0.5]);
		expect(range({ default: -1 })).toEqual([-1, 0.3]);
	}
});

test("a reward that is a sum goes as far as the declared range where outcomes go that way, since they may come again and again", () => {
	expect(reachableRange(reward({}))).toEqual([0, 8]);
	expect(reachableRange(reward({ range: [-1, 2] }))).toEqual([0, 2]);
	expect(reachableRange(reward({ outcomes: signed }))).toEqual([-8, 8]);
	expect(reachableRange(reward({ default: -1 }))).toEqual([-1, 8]);
	const skips = [{ type: "skip", value: -0.2 }];
	expect(reachableRange(reward({ outcomes: skips }))).toEqual([-8, 0]);
	expect(reachableRange(reward({ outcomes: skips, default: 0.5 }))).toEqual([
		-8, 0.5,
	]);
});

test("where an outcome earns the event's own value it is the declared one", () => {
	expect(
		reachableRange(reward({ outcomes: [{ type: "rating" }], range: [0, 5] })),
	).toEqual([0, 5]);
});
