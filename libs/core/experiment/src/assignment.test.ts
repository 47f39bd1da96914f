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

	it("is kept by every unit over any ramp: a larger share only adds units, a larger control only turns policy into control", () => {
		const rank = { outside: 0, policy: 1, control: 2 } as const;
		const at = (t: Traffic) => groups(t).map((group) => rank[group]);
		const shares = [0, 0.01, 0.05, 0.2, 0.5, 0.8, 1];
		const full = at(traffic(1, 0.3));
		let inside = 0;
		for (const share of shares) {
			const now = at(traffic(share, 0.3));
			expect(
				now.filter((group, unit) => group !== 0 && group !== full[unit]),
			).toEqual([]);
			const more = now.filter((group) => group !== 0).length;
			expect(more).toBeGreaterThanOrEqual(inside);
			inside = more;
		}
		expect(inside).toBe(units.length);
		let before = at(traffic(0.7, 0));
		for (const control of [0.05, 0.1, 0.5, 0.9, 1]) {
			const now = at(traffic(0.7, control));
			const moved = now.filter((group, unit) => group !== before[unit]);
			expect(new Set(moved)).toEqual(new Set([rank.control]));
			before = now;
		}
	});

	it("does not depend on whether a unit is inside: control has its share at every step of a ramp", () => {
		for (const share of [0.1, 0.4, 1]) {
			const list = groups(traffic(share, 0.2));
			const inside = list.filter((group) => group !== "outside");
			// Four standard deviations of a binomial share.
			const slack = 4 * Math.sqrt((0.2 * 0.8) / inside.length);
			expect(Math.abs(shareOf("control", inside) - 0.2)).toBeLessThan(slack);
		}
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
