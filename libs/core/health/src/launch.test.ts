import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Feature, JsonValue } from "#core/experiment";
import { makeLaunch, type ObservedDecision } from "./index.js";

const number: Feature = {
	name: "n",
	from: "request",
	kind: "number",
	mean: 0,
	scale: 1,
};
const device: Feature = {
	name: "n",
	from: "request",
	kind: "category",
	levels: ["phone", "tv", "car"],
};
const times = { from: 0, to: 1 };

function decided(values: readonly JsonValue[]): ObservedDecision[] {
	return values.map(
		(n): ObservedDecision => ({
			id: "018bcfe5-6800-7abc-8def-012345678900",
			context: n === null ? {} : { n },
			x: new Float64Array(),
			missing: n === null ? { n: "absent" } : {},
		}),
	);
}
const launchOf = (feature: Feature, values: readonly JsonValue[]) =>
	makeLaunch({ features: [feature] }, decided(values), times).features[0];
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

describe("the bins of a launch", () => {
	it("are deciles of numbers, parted halfway between neighbours", () => {
		expect(launchOf(number, upTo(1_000).reverse())).toEqual({
			values: 1_000,
			parts: [
				{
					bins: {
						kind: "edges",
						edges: [
							99.5, 199.5, 299.5, 399.5, 499.5, 599.5, 699.5, 799.5, 899.5,
						],
					},
					counts: new Array(10).fill(100),
				},
			],
		});
	});

	it("never part equal numbers, and know of a number that was always the same what is below and above", () => {
		const mostlyNone = [
			...new Array(900).fill(0),
			...upTo(100).map((i) => i + 1),
		];
		expect(launchOf(number, mostlyNone)?.parts).toEqual([
			{ bins: { kind: "edges", edges: [0.5] }, counts: [900, 100] },
		]);
		const [same] = launchOf(number, new Array(500).fill(7))?.parts ?? [];
		expect(same?.counts).toEqual([0, 500, 0]);
	});

	it("are fewer where launch has few values, and none where it has less than forty", () => {
		const counts = (n: number) =>
			launchOf(number, [...upTo(n), ...new Array(50).fill(null)])?.parts.map(
				(part) => part?.counts.length ?? null,
			);
		expect(counts(200)).toEqual([6]);
		expect(counts(40)).toEqual([2]);
		expect(counts(39)).toEqual([null]);
	});

	it("are one for each level of a category, and two for all others: declared or not", () => {
		const values = [
			...new Array(100).fill("tv"),
			...new Array(40).fill("phone"),
			...new Array(20).fill("watch"),
		];
		expect(launchOf(device, values)?.parts).toEqual([
			{
				bins: { kind: "levels", levels: ["tv", "phone", "car"] },
				counts: [100, 40, 0, 0, 20],
			},
		]);
	});

	it("give only the nineteen most frequent levels a bin of their own", () => {
		const levels = upTo(30).map((i) => `level-${i}`);
		const values = levels.flatMap((level, i) => new Array(1 + i).fill(level));
		const many = { ...device, levels } as Feature;
		const counts = (all: readonly JsonValue[]) =>
			launchOf(many, all)?.parts[0]?.counts;
		expect(counts(values)?.length).toBe(12);
		const enough = counts([...values, ...values]);
		expect(enough?.length).toBe(21);
		expect(enough?.slice(0, 2)).toEqual([60, 58]);
		// Those from level-0 to level-10, twice; none that is not declared.
		expect(enough?.slice(-2)).toEqual([132, 0]);
	});

	it("are true and false of a boolean, each number's of a vector, those of the day for an hour", () => {
		const boolean: Feature = { name: "n", from: "request", kind: "boolean" };
		const flags = [...new Array(30).fill(true), ...new Array(20).fill(false)];
		expect(launchOf(boolean, flags)?.parts).toEqual([
			{ bins: { kind: "flags" }, counts: [30, 20] },
		]);
		const vector: Feature = {
			name: "n",
			from: "profile",
			kind: "vector",
			length: 2,
		};
		const points = upTo(80).map((i) => [i, -i]);
		expect(launchOf(vector, points)?.parts.map((part) => part?.counts)).toEqual(
			[
				[27, 26, 27],
				[27, 26, 27],
			],
		);
		const hour: Feature = {
			name: "n",
			from: "request",
			kind: "cyclic",
			period: 24,
		};
		const around = (shift: number) =>
			launchOf(
				hour,
				upTo(240).map((i) => (i % 24) + shift),
			);
		expect(around(-48)).toEqual(around(0));
	});

	it("are as a category's of an attribute whose texts are listed, and as a number's of one of numbers", () => {
		const mood: Feature = {
			name: "n",
			from: "request",
			kind: "attribute",
			values: ["calm", "wild"],
		};
		const moods = [
			...new Array(60).fill("calm"),
			...new Array(40).fill("wild"),
		];
		expect(launchOf(mood, moods)?.parts).toEqual([
			{ bins: { kind: "levels", levels: ["calm"] }, counts: [60, 40, 0] },
		]);
		const bitrate: Feature = { ...mood, type: "number", values: [] };
		expect(launchOf(bitrate, upTo(40))?.parts).toEqual([
			{ bins: { kind: "edges", edges: [19.5] }, counts: [20, 20] },
		]);
	});

	it("there are none of texts that are not listed, nor of products, whose values are those of others", () => {
		const open: Feature = {
			name: "n",
			from: "request",
			kind: "attribute",
			values: [],
		};
		expect(launchOf(open, new Array(99).fill("jazz"))).toEqual({
			values: 99,
			parts: [],
		});
		const product: Feature = {
			name: "n",
			from: "product",
			kind: "product",
			of: ["a", "b"],
		};
		expect(launchOf(product, [null, 1])).toEqual({ values: 1, parts: [] });
	});

	it("hold every value once, whatever the numbers", () => {
		const values = fc.array(
			fc.double({ noNaN: true, noDefaultInfinity: true }),
			{
				minLength: 40,
				maxLength: 200,
			},
		);
		fc.assert(
			fc.property(values, (list) => {
				const [part] = launchOf(number, list)?.parts ?? [];
				const edges = part?.bins.kind === "edges" ? part.bins.edges : [];
				expect([...edges].sort((a, b) => a - b)).toEqual(edges);
				expect(new Set(edges).size).toBe(edges.length);
				expect(part?.counts.reduce((all, n) => all + n, 0)).toBe(list.length);
			}),
		);
	});
});
