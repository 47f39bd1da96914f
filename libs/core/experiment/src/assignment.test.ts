import { describe, expect, it } from "vitest";
import { assign, type Traffic } from "./index.js";

const SALT = "5e".repeat(32);
const units = Array.from({ length: 20_000 }, (_, index) => `unit-${index}`);
const traffic = (share: number, control: number): Traffic => ({
	share,
	control,
	baseline: "uniform",
});
const groups = (t: Traffic, salt = SALT) =>
	units.map((unit) => assign(t, salt, unit, "running"));
const shareOf = (group: string, list: string[]) =>
	list.filter((item) => item === group).length / list.length;

describe("the group of a unit", () => {
	it("follows share and control", () => {
		const list = groups(traffic(0.5, 0.2));
		// Four standard deviations of a binomial share at n = 20,000.
		expect(Math.abs(shareOf("outside", list) - 0.5)).toBeLessThan(0.0142);
		expect(Math.abs(shareOf("control", list) - 0.1)).toBeLessThan(0.0085);
	});

	it("has sharp ends", () => {
		expect(new Set(groups(traffic(1, 0)))).toEqual(new Set(["policy"]));
		expect(new Set(groups(traffic(1, 1)))).toEqual(new Set(["control"]));
		expect(new Set(groups(traffic(0, 1)))).toEqual(new Set(["outside"]));
	});

	it("never moves between policy and control when the share changes", () => {
		const small = groups(traffic(0.3, 0.2));
		const large = groups(traffic(0.9, 0.2));
		const moved = small.filter(
			(group, index) => group !== "outside" && group !== large[index],
		);
		expect(moved).toEqual([]);
	});

	it("is another one under another salt", () => {
		const one = groups(traffic(1, 0.5));
		const other = groups(traffic(1, 0.5), "a7".repeat(32));
		const agreeing =
			one.filter((group, index) => group === other[index]).length / one.length;
		expect(Math.abs(agreeing - 0.5)).toBeLessThan(0.0142);
	});

	it("is outside for everyone unless the experiment runs", () => {
		for (const state of ["draft", "paused", "stopped"] as const)
			expect(assign(traffic(1, 0.5), SALT, "unit-1", state)).toBe("outside");
	});
});
