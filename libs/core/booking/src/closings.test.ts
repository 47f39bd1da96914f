import { describe, expect, it } from "vitest";
import { type Closings, isClosed } from "./closings.js";

const HOUR = 3_600_000;
const closings = (changes: Partial<Closings> = {}): Closings => ({
	hour: 100,
	after: 7,
	turns: [
		{ at: 10 * HOUR, epoch: "1 1 1" },
		{ at: 50 * HOUR + 1, epoch: null },
		{ at: 60 * HOUR, epoch: "1 1 1" },
		{ at: 80 * HOUR, epoch: "1 1 2" },
	],
	turnsSince: 0,
	visitsSince: "",
	holdsSince: 0,
	...changes,
});
const hours = (epoch: string, own: Closings = closings()) =>
	Array.from({ length: 110 }, (_, hour) => hour).filter((hour) =>
		isClosed(own, epoch, hour, 3),
	);

describe("a cohort", () => {
	it("closes in the order of hours, and of an hour in the order of rows", () => {
		const ran = closings({ turns: [] });
		expect([99, 100, 101].map((hour) => isClosed(ran, "e", hour, 7))).toEqual([
			true,
			true,
			false,
		]);
		expect([7, 8, null].map((id) => isClosed(ran, "e", 100, id))).toEqual([
			true,
			false,
			false,
		]);
	});

	it("counts if its time was over while the experiment ran in its epoch", () => {
		expect(hours("1 1 1")).toEqual(
			Array.from({ length: 80 }, (_, hour) => hour).filter(
				(hour) => hour <= 50 || hour >= 60,
			),
		);
		expect(hours("1 1 2").slice(-3)).toEqual([98, 99, 100]);
	});

	it("counts where nothing is known of its epoch's begin, as of history that is older than the definition", () => {
		expect(hours("1 1 1")[0]).toBe(0);
		expect(hours("2 1 1")).toHaveLength(101);
	});

	it("that closed before turns were looked at was closed by the clock, and stays so", () => {
		expect(hours("1 1 1", closings({ turnsSince: 90 })).slice(-1)).toEqual([
			89,
		]);
		expect(hours("1 1 1", closings({ turnsSince: 55 }))).toContain(54);
		expect(hours("1 1 1", closings({ turnsSince: 55 }))).not.toContain(55);
	});
});
