import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Feature } from "#core/experiment";
import { schema } from "../test/every-kind.js";
import { compileEncoder } from "./index.js";

const encoder = compileEncoder(schema);
const one = (feature: Feature, value: unknown) =>
	Array.from(
		compileEncoder({ intercept: false, features: [feature] }).encode({
			n: value as never,
		}).x,
	);

describe("the encoder", () => {
	it("names its coordinates, intercept first, then features as declared", () => {
		expect(encoder.names).toEqual([
			"intercept",
			"hour.sin",
			"hour.cos",
			"device=phone",
			"device=desktop",
			"headphones",
			"tempo",
			"skips",
			"taste[0]",
			"taste[1]",
		]);
		expect(encoder.d).toBe(10);
	});

	it("encodes each kind as its definition says, on the grid", () => {
		const { x, missing } = encoder.encode({
			hour: 6,
			device: "desktop",
			headphones: true,
			activity: "run",
			tempo: 135,
			skips: 2,
			taste: [0.25, -0.5],
		});
		// 2/5 on the grid of 1/4096 is 1638/4096.
		expect(Array.from(x)).toEqual([
			1,
			1,
			0,
			0,
			1,
			1,
			0.5,
			1638 / 4096,
			0.25,
			-0.5,
		]);
		expect(missing).toEqual([]);
	});

	it("encodes what is missing to 0 and names it, attributes too", () => {
		const { x, missing } = encoder.encode({ headphones: false, device: null });
		expect(Array.from(x)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
		expect(missing).toEqual([
			"hour",
			"device",
			"activity",
			"tempo",
			"skips",
			"taste",
		]);
	});

	it("takes a value of another type as missing", () => {
		const { x, missing } = encoder.encode({
			hour: "6",
			device: 1,
			headphones: "yes",
			tempo: Number.NaN,
			taste: [1],
		});
		expect(x.slice(1).every((coordinate) => coordinate === 0)).toBe(true);
		expect(missing).toEqual([
			"hour",
			"device",
			"headphones",
			"activity",
			"tempo",
			"skips",
			"taste",
		]);
	});

	it("encodes an unseen level as all 0, without calling it missing", () => {
		const { x, missing } = encoder.encode({ device: "watch" });
		expect(Array.from(x.slice(3, 5))).toEqual([0, 0]);
		expect(missing).not.toContain("device");
	});

	it("clips to ±8", () => {
		const number: Feature = {
			name: "n",
			from: "request",
			kind: "number",
			mean: 0,
			scale: 1,
		};
		expect(one(number, 1e300)).toEqual([8]);
		expect(one({ ...number, mean: 1e308, scale: 1e-300 }, -1e308)).toEqual([
			-8,
		]);
		expect(
			one({ name: "n", from: "profile", kind: "vector", length: 2 }, [9, -9]),
		).toEqual([8, -8]);
	});

	it("wraps a cyclic value round its period", () => {
		const hour: Feature = {
			name: "n",
			from: "request",
			kind: "cyclic",
			period: 24,
		};
		expect(one(hour, 24)).toEqual(one(hour, 0));
		expect(one(hour, -18)).toEqual(one(hour, 6));
		expect(one(hour, 24e9 + 6)).toEqual(one(hour, 6));
		expect(one(hour, 3)).toEqual([2896 / 4096, 2896 / 4096]);
	});

	it("encodes a time of day as a point on the day's circle", () => {
		const feature: Feature = { name: "n", from: "request", kind: "timeOfDay" };
		expect(one(feature, 0)).toEqual([0, 1]);
		expect(one(feature, 6)).toEqual([1, 0]);
		expect(one(feature, 13.5)).toEqual([-1567 / 4096, -3784 / 4096]);
		expect(one(feature, 24)).toEqual([0, 0]);
		expect(one(feature, -1)).toEqual([0, 0]);
	});

	it("never writes −0, which would lose its sign in the log", () => {
		const number: Feature = {
			name: "n",
			from: "request",
			kind: "number",
			mean: 0,
			scale: 1,
		};
		expect(Object.is(one(number, -0.00001)[0], 0)).toBe(true);
	});

	it("reads own values only", () => {
		const feature: Feature = {
			name: "constructor",
			from: "request",
			kind: "boolean",
		};
		expect(
			compileEncoder({ intercept: false, features: [feature] }).encode({})
				.missing,
		).toEqual(["constructor"]);
	});

	it("keeps every coordinate within ±8 and on the grid, whatever comes", () => {
		const value = fc.oneof(
			fc.double(),
			fc.string(),
			fc.boolean(),
			fc.constant(null),
			fc.array(fc.double(), { maxLength: 3 }),
		);
		const keys = fc.record(
			Object.fromEntries(schema.features.map(({ name }) => [name, value])),
			{ requiredKeys: [] },
		);
		fc.assert(
			fc.property(keys, (values) => {
				const { x } = encoder.encode(values as never);
				for (const coordinate of x) {
					expect(Math.abs(coordinate)).toBeLessThanOrEqual(8);
					expect(Number.isInteger(coordinate * 4096)).toBe(true);
				}
			}),
		);
	});
});
