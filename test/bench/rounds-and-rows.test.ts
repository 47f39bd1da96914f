import { expect, test } from "vitest";
import { medianRow } from "../../bench/support/ratio-row.js";
import { alternate } from "../../bench/support/rounds.js";

const label = { name: "score", unit: "µs", against: "c" };

test("a row is the round with the median ratio, not a mix of rounds", () => {
	expect(medianRow(label, [10, 4, 9], [1, 2, 3])).toEqual({
		...label,
		ours: 9,
		baseline: 3,
		ratio: 3,
	});
	expect(medianRow(label, [8, 2], [2, 1]).ratio).toBe(2);
	expect(() => medianRow(label, [1], [])).toThrow("1 and 0");
	expect(() => medianRow(label, [], [])).toThrow("0 and 0");
});

test("contenders take turns, each round beginning with the next, and warm-up does not count", async () => {
	const order: string[] = [];
	const contender = (name: string) => ({
		name,
		round: () => order.push(name),
	});
	const measured = await alternate([contender("a"), contender("b")], 2, 1);
	expect(order.join("")).toBe("abbaab");
	expect(measured).toEqual(
		new Map([
			["a", [4, 5]],
			["b", [3, 6]],
		]),
	);
});
