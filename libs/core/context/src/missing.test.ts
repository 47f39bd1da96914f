import { describe, expect, it } from "vitest";
import type { ContextSchema, ValueFeature } from "#core/experiment";
import { compileEncoder } from "./index.js";

const from = "request";
const features: readonly ValueFeature[] = [
	{ name: "hour", from, kind: "cyclic", period: 24 },
	{ name: "device", from, kind: "category", levels: ["phone", "desktop"] },
	{ name: "headphones", from, kind: "boolean" },
	{ name: "tempo", from, kind: "number", mean: 120, scale: 30 },
	{ name: "taste", from, kind: "vector", length: 2 },
];
const means: { readonly [name: string]: unknown } = {
	hour: 6,
	device: { phone: 0.75 },
	headphones: 0.25,
	taste: [0.5, -0.125],
};
const values = {
	hour: 12,
	device: "desktop",
	headphones: true,
	tempo: 150,
	taste: [1, 2],
};
const over = (
	change: (feature: ValueFeature) => object,
	...more: ContextSchema["features"]
): ContextSchema => ({
	intercept: true,
	features: [
		...features.map((feature) => ({ ...feature, ...change(feature) })),
		...more,
	] as ContextSchema["features"],
});
const product = (left: string, right: string) =>
	({
		name: `${left}×${right}`,
		from: "product",
		kind: "product",
		of: [left, right],
	}) as const;
const names = features.map(({ name }) => name);

describe("a feature without a value", () => {
	it("is 0 unless its definition says otherwise", () => {
		const encoder = compileEncoder(over(() => ({})));
		expect(encoder.d).toBe(9);
		expect([...encoder.encode({}).x]).toEqual([1, ...Array(8).fill(0)]);
		expect(encoder.encode({}).missing).toEqual(names);
	});

	it("with missing: mean is encoded as its declared mean: a value, a share, shares, a vector; a number's mean is 0", () => {
		const encoder = compileEncoder(
			over(({ name }) => ({
				missing: "mean",
				...(name in means && { mean: means[name] }),
			})),
		);
		const { x, missing } = encoder.encode({});
		expect([...x]).toEqual([1, 1, 0, 0.75, 0, 0.25, 0, 0.5, -0.125]);
		expect(missing).toEqual(names);
		const given = encoder.encode(values);
		const plain = compileEncoder(over(() => ({}))).encode(values);
		expect(given).toEqual(plain);
	});

	it("with missing: indicator has one more coordinate, behind its own, that says so", () => {
		const encoder = compileEncoder(over(() => ({ missing: "indicator" })));
		expect(encoder.names.filter((name) => name.endsWith("?"))).toEqual(
			names.map((name) => `${name}?`),
		);
		expect(encoder.names.slice(1, 7)).toEqual([
			"hour.sin",
			"hour.cos",
			"hour?",
			"device=phone",
			"device=desktop",
			"device?",
		]);
		expect(encoder.d).toBe(9 + 5);
		const told = (x: Float64Array) =>
			encoder.names.flatMap((name, i) => (name.endsWith("?") ? [x[i]] : []));
		expect(told(encoder.encode({}).x)).toEqual([1, 1, 1, 1, 1]);
		expect(told(encoder.encode(values).x)).toEqual([0, 0, 0, 0, 0]);
		expect(told(encoder.encode({ ...values, tempo: "fast" }).x)).toEqual([
			0, 0, 0, 1, 0,
		]);
		expect(encoder.encode({}).x.reduce((sum, one) => sum + one)).toBe(6);
	});

	it("is encoded so whether it was sent as nothing or as something of another type", () => {
		const { encode } = compileEncoder(
			over(({ name }) => (name === "hour" ? { missing: "mean", mean: 6 } : {})),
		);
		expect(encode({ hour: "six" }).x).toEqual(encode({}).x);
	});

	it("stands in a product with its mean, never with the coordinate that says that it is missing", () => {
		const { names, encode } = compileEncoder(
			over(
				({ name }) =>
					name === "headphones"
						? { missing: "mean", mean: 0.25 }
						: { missing: "indicator" },
				product("headphones", "taste"),
			),
		);
		expect(names.slice(-2)).toEqual([
			"headphones×taste[0]",
			"headphones×taste[1]",
		]);
		const { x, missing } = encode({ taste: [1, 2] });
		expect([...x.slice(-2)]).toEqual([0.25, 0.5]);
		expect(missing).toContain("headphones×taste");
		expect([...encode({ headphones: true }).x.slice(-2)]).toEqual([0, 0]);
	});

	it("of a level that objects inherit something for has the share that was said, not what they inherit", () => {
		const levels = ["toString", "phone"];
		const { encode } = compileEncoder({
			intercept: false,
			features: [
				{
					name: "device",
					from,
					kind: "category",
					levels,
					missing: "mean",
					mean: { phone: 1 },
				},
			],
		});
		expect([...encode({}).x]).toEqual([0, 1]);
	});
});
