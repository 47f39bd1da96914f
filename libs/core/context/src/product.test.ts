import { describe, expect, it } from "vitest";
import type { ContextSchema, Feature } from "#core/experiment";
import { compileEncoder, layOut } from "./index.js";

const hour: Feature = {
	name: "hour",
	from: "request",
	kind: "cyclic",
	period: 24,
};
const device: Feature = {
	name: "device",
	from: "request",
	kind: "category",
	levels: ["phone", "desktop"],
};
const skips: Feature = {
	name: "skips",
	from: "live",
	kind: "number",
	mean: 0,
	scale: 1,
	live: { event: "skip", windowMs: 30_000, aggregate: "count", by: "unit" },
};
const taste: Feature = {
	name: "taste",
	from: "profile",
	kind: "vector",
	length: 2,
	consent: "personalization",
};
const times = (left: string, right: string): Feature => ({
	name: `${left}×${right}`,
	from: "product",
	kind: "product",
	of: [left, right],
});
const over = (...features: Feature[]): ContextSchema => ({
	intercept: true,
	features,
});

describe("a product", () => {
	it("has every pair of coordinates, named under both names", () => {
		const { names, featureNames, d } = compileEncoder(
			over(hour, device, times("hour", "device")),
		);
		expect(names.slice(5)).toEqual([
			"hour.sin×device=phone",
			"hour.sin×device=desktop",
			"hour.cos×device=phone",
			"hour.cos×device=desktop",
		]);
		expect(featureNames.slice(5)).toEqual(Array(4).fill("hour×device"));
		expect(d).toBe(9);
	});

	it("multiplies features of every source", () => {
		const { encode } = compileEncoder(
			over(skips, taste, device, times("skips", "taste")),
		);
		const { x, missing } = encode({
			skips: 3,
			taste: [0.5, -0.25],
			device: "phone",
		});
		expect([...x]).toEqual([1, 3, 0.5, -0.25, 1, 0, 1.5, -0.75]);
		expect(missing).toEqual([]);
	});

	it("multiplies coordinates that are clipped and rounded already, and clips and rounds again", () => {
		const { encode } = compileEncoder(
			over(skips, taste, times("skips", "taste")),
		);
		// 1/3 and 0.7 on the grid of 1/4096 are 1365/4096 and 2867/4096.
		const { x } = encode({ skips: 1 / 3, taste: [0.7, 100] });
		expect([...x.slice(4)]).toEqual([
			Math.round((1365 * 2867) / 4096) / 4096,
			Math.round(8 * 1365) / 4096,
		]);
		expect([...encode({ skips: 5, taste: [5, -5] }).x.slice(4)]).toEqual([
			8, -8,
		]);
	});

	it("may stand before what it is made of", () => {
		const before = compileEncoder(over(times("skips", "taste"), skips, taste));
		expect(before.names).toEqual([
			"intercept",
			"skips×taste[0]",
			"skips×taste[1]",
			"skips",
			"taste[0]",
			"taste[1]",
		]);
		expect([...before.encode({ skips: 2, taste: [1, 0.5] }).x]).toEqual([
			1, 2, 1, 2, 1, 0.5,
		]);
	});

	it("is missing, and 0, where one of its features is, or lacks consent", () => {
		const { encode } = compileEncoder(
			over(times("skips", "taste"), skips, taste, hour, times("skips", "hour")),
		);
		const { x, missing } = encode({ skips: 2, hour: 6 });
		expect(missing).toEqual(["taste", "skips×taste"]);
		expect([...x.slice(1, 3)]).toEqual([0, 0]);
		expect([...x.slice(8)]).toEqual([2, 0]);
	});

	it("never writes −0, which would lose its sign in the log", () => {
		const { encode } = compileEncoder(
			over(skips, taste, times("skips", "taste")),
		);
		for (const coordinate of encode({ skips: 0, taste: [-1, -2] }).x)
			expect(Object.is(coordinate, -0)).toBe(false);
	});
});

it("coordinates are counted without their names, as one counts them by hand", () => {
	const wide: Feature = { ...taste, length: 256 };
	const { d, spans } = layOut(
		over(wide, { ...wide, name: "other" }, times("taste", "other")),
	);
	expect(d).toBe(1 + 256 + 256 + 65_536);
	expect(spans.map(({ offset }) => offset)).toEqual([1, 257, 513]);
});
