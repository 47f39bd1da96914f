import { describe, expect, it } from "vitest";
import { compileFeature } from "#core/context";
import type { ClientHint, JsonValue, ValueFeature } from "#core/experiment";
import { type Hinted, withHints } from "../src/client-hints.js";
import { compileReading } from "../src/read-context.js";

const number = { kind: "number", mean: 0, scale: 1 } as const;
const text = { kind: "attribute", values: [] } as const;
const boolean = { kind: "boolean" } as const;
const hinted = (hint: ClientHint, kind: Partial<ValueFeature>): ValueFeature =>
	({ name: "n", from: "request", hint, ...kind }) as ValueFeature;
const read = (
	feature: ValueFeature,
	headers: { readonly [name: string]: string },
) =>
	withHints({}, [compileFeature(feature) as Hinted], {
		header: (name) => headers[name],
	}).n;

describe("a client hint", () => {
	it.each<[ClientHint, Partial<ValueFeature>, string, string, JsonValue]>([
		["mobile", boolean, "sec-ch-ua-mobile", "?1", true],
		["mobile", boolean, "sec-ch-ua-mobile", "?0", false],
		["platform", text, "sec-ch-ua-platform", '"Android"', "Android"],
		[
			"platform",
			{ ...text, values: ["Chrome OS"] } as Partial<ValueFeature>,
			"sec-ch-ua-platform",
			'"Chrome OS"',
			"Chrome OS",
		],
		["downlink", number, "downlink", "1.45", 1.45],
		["bitrate", number, "downlink", "1.45", 1450],
		["bitrate", { ...text, type: "number" }, "downlink", " 10 ", 10_000],
		["rtt", number, "rtt", "150", 150],
		["ect", text, "ect", "slow-2g", "slow-2g"],
		["saveData", boolean, "save-data", "on", true],
		["saveData", boolean, "save-data", "?0", false],
		["deviceMemory", number, "sec-ch-device-memory", "0.5", 0.5],
		["deviceMemory", number, "device-memory", "8", 8],
	])("%s of %o is read of %s: %s", (hint, kind, header, sent, value) => {
		expect(read(hinted(hint, kind), { [header]: sent })).toBe(value);
	});

	it.each<[ClientHint, Partial<ValueFeature>, string, string]>([
		["mobile", boolean, "sec-ch-ua-mobile", "1"],
		["platform", text, "sec-ch-ua-platform", "Android"],
		["platform", text, "sec-ch-ua-platform", `"${"x".repeat(65)}"`],
		["downlink", number, "downlink", "fast"],
		["downlink", number, "downlink", "-1"],
		["downlink", number, "downlink", "1e3"],
		["downlink", number, "downlink", "1, 2"],
		["rtt", number, "rtt", "9".repeat(400)],
		["ect", text, "ect", "5g"],
		["ect", { ...text, values: ["4g"] }, "ect", "3g"],
		["saveData", boolean, "save-data", "yes"],
	])("%s of %o is not taken of %s: %s", (hint, kind, header, sent) => {
		expect(read(hinted(hint, kind), { [header]: sent })).toBeUndefined();
	});

	it("is not looked for where no feature declares one, or the context gives the value", () => {
		const asked: string[] = [];
		const headers = {
			header: (name: string) => {
				asked.push(name);
				return "4";
			},
		};
		const { hint: _, ...plain } = hinted("rtt", number);
		const reading = (feature: ValueFeature) =>
			compileReading({ intercept: true, features: [feature] });
		expect(reading(plain as ValueFeature)({}, headers).values).toEqual({});
		const rtt = reading(hinted("rtt", number));
		expect(rtt({ n: 1 }, headers).values).toEqual({ n: 1 });
		expect(asked).toEqual([]);
		expect(rtt({ n: null }, headers).values).toEqual({ n: 4 });
		expect(rtt({}).values).toEqual({});
		expect(asked).toEqual(["rtt"]);
	});
});
