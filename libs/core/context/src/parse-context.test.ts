import { describe, expect, it } from "vitest";
import type { ContextSchema } from "#core/experiment";
import { schema } from "../test/every-kind.js";
import { compileEncoder, compileParser, withhold } from "./index.js";

const encoder = compileEncoder(schema);
const parseContext = (schema: ContextSchema, raw: unknown) =>
	compileParser(schema)(raw);

describe("a request's context", () => {
	it("keeps declared request features and names what it drops", () => {
		expect(
			parseContext(schema, {
				hour: 6,
				device: "watch",
				skips: 3,
				taste: [1, 2],
				secret: "x",
				activity: null,
			}),
		).toEqual({
			ok: true,
			values: { hour: 6, device: "watch" },
			ignored: ["skips", "taste", "secret"],
		});
	});

	it("may be absent", () => {
		expect(parseContext(schema, undefined)).toEqual({
			ok: true,
			values: {},
			ignored: [],
		});
	});

	it("of wrong types is refused with a path for each", () => {
		const parsed = parseContext(schema, {
			hour: "6",
			headphones: 1,
			tempo: Number.POSITIVE_INFINITY,
			device: ["phone"],
			activity: "swim",
		});
		expect(parsed.ok ? [] : parsed.problems).toEqual([
			{
				path: "context.hour",
				message: 'hour must be a finite number, not the text "6".',
			},
			{ path: "context.device", message: "device must be text, not a list." },
			{
				path: "context.headphones",
				message: "headphones must be true or false, not 1.",
			},
			{
				path: "context.activity",
				message: 'activity must be one of sleep, run, not "swim".',
			},
			{
				path: "context.tempo",
				message: "tempo must be a finite number, not Infinity.",
			},
		]);
	});

	it.each([[], "x", 3].map((raw) => [raw]))("that is %j is refused", (raw) => {
		expect(parseContext(schema, raw)).toMatchObject({
			ok: false,
			problems: [{ path: "context" }],
		});
	});

	it("is bounded in its texts", () => {
		expect(parseContext(schema, { device: "x".repeat(257) }).ok).toBe(false);
		expect(parseContext(schema, { device: "a\u0000" }).ok).toBe(false);
	});

	it("keeps no free text: what the definition does not list must be a label", () => {
		const refused = parseContext(schema, { device: "my mother's phone" });
		expect(refused.ok ? [] : refused.problems).toEqual([
			{
				path: "context.device",
				message:
					"device must be a label of at most 64 characters without spaces, invisible characters or @, since free text is not stored.",
			},
		]);
		expect(parseContext(schema, { device: "watch-os_11.2" }).ok).toBe(true);
		expect(parseContext(schema, { device: "" }).ok).toBe(true);
		const placed = parseContext(schema, { device: "52.52_13.40" });
		expect(placed.ok ? [] : placed.problems).toEqual([
			{
				path: "context.device",
				message:
					"device is a pair of coordinates, a precise location, which is not stored: use a place (home, gym, commute) or a region instead.",
			},
		]);
		const spaced = {
			...schema,
			features: schema.features.map((feature) =>
				feature.kind === "category"
					? { ...feature, levels: ["smart watch", "52.52,13.40"] }
					: feature,
			),
		};
		for (const device of ["smart watch", "52.52,13.40"])
			expect(parseContext(spaced, { device }).ok).toBe(true);
	});

	it("is bounded in what it repeats", () => {
		const many = Object.fromEntries(
			Array.from({ length: 5000 }, (_, index) => [
				`${"k".repeat(100)}${index}`,
				1,
			]),
		);
		const parsed = parseContext(schema, many);
		expect(parsed.ok && parsed.ignored.length).toBe(100);
		expect(parsed.ok && parsed.ignored[0]?.length).toBe(64);
	});

	it("cannot reach a prototype", () => {
		const parsed = parseContext(
			schema,
			JSON.parse('{"__proto__": {"hour": 6}, "constructor": 1}'),
		);
		expect(parsed).toEqual({
			ok: true,
			values: {},
			ignored: ["__proto__", "constructor"],
		});
		expect(({} as Record<string, unknown>).hour).toBeUndefined();
	});

	it("takes nothing that objects inherit for a value", () => {
		const named: ContextSchema = {
			intercept: false,
			features: [{ name: "toString", from: "request", kind: "boolean" }],
		};
		expect(parseContext(named, {})).toEqual({
			ok: true,
			values: {},
			ignored: [],
		});
		expect(compileEncoder(named).encode({}).missing).toEqual(["toString"]);
	});

	it("takes numbers for an attribute of numbers, and hours of the day for a time of day", () => {
		const bitrate = {
			name: "bitrate",
			from: "request",
			kind: "attribute",
			type: "number",
			values: [],
		} as const;
		const hour = { name: "hour", from: "request", kind: "timeOfDay" } as const;
		const schema = { intercept: true, features: [bitrate, hour] };
		const context = { bitrate: 320, hour: 23.99 };
		expect(parseContext(schema, context)).toMatchObject({
			ok: true,
			values: context,
		});
		expect(compileEncoder(schema).d).toBe(3);
		const wrong = parseContext(schema, { bitrate: "320", hour: 24 });
		expect(wrong.ok ? [] : wrong.problems).toEqual([
			{
				path: "context.bitrate",
				message: 'bitrate must be a finite number, not the text "320".',
			},
			{
				path: "context.hour",
				message: "hour must be an hour of the day, from 0 to below 24, not 24.",
			},
		]);
	});

	it("checks the length and the numbers of a vector", () => {
		const vector: ContextSchema = {
			intercept: true,
			features: [{ name: "v", from: "request", kind: "vector", length: 2 }],
		};
		expect(parseContext(vector, { v: [1, 2] }).ok).toBe(true);
		for (const v of [[1], [1, "2"], [1, Number.NaN], 3])
			expect(parseContext(vector, { v }).ok).toBe(false);
	});
});

describe("a feature that is withheld", () => {
	it("is removed from all that follows, and the others stay", () => {
		const values = { hour: 6, taste: [1, 2] };
		const kept = withhold(values, new Set(["taste"]));
		expect(kept).toEqual({ hour: 6 });
		expect(encoder.encode(kept).missing).toContain("taste");
		expect(withhold(values, new Set(["other"]))).toEqual(values);
	});
});
