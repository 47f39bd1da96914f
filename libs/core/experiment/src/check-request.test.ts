import { describe, expect, it } from "vitest";
import { parseExperiment, renderExperiment } from "./index.js";

const from = "request";
const hour = { name: "hour", from, kind: "timeOfDay" };
const bitrate = { name: "bitrate", from, kind: "attribute", type: "number" };
const parse = (features: readonly object[], eligible = "true") =>
	parseExperiment({
		key: "small",
		arms: [{ key: "a" }, { key: "b", eligible }],
		context: { features },
		policy: { kind: "linucb" },
		reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
	});

describe("features that only a request can give", () => {
	it("come back from the rendered form", () => {
		const result = parse([
			hour,
			bitrate,
			{ ...bitrate, name: "place", type: "text", values: ["home", "gym"] },
			{ ...hour, name: "usual", missing: "mean", mean: 7.5 },
		]);
		if (!result.ok) throw new Error(JSON.stringify(result.problems));
		const again = parseExperiment(renderExperiment(result.value));
		expect(again.ok && again.value).toEqual(result.value);
		expect(result.value.context.features[2]).not.toHaveProperty("type");
	});

	it("are numbers to rules: an hour, a bitrate", () => {
		const features = [hour, bitrate];
		expect(
			parse(
				features,
				"context.bitrate >= 256 && context.hour > 6 && context.hour < 9.5",
			).ok,
		).toBe(true);
		expect(parse(features, 'context.bitrate == "high"')).toMatchObject({
			ok: false,
			problems: [{ path: "arms[1].eligible" }],
		});
	});

	it("take a client hint whose value is of their kind", () => {
		const hints = ["mobile", "platform", "bitrate", "ect"];
		const kinds: readonly object[] = [
			{ kind: "boolean" },
			{ kind: "category", levels: ["Android"] },
			{ kind: "number" },
			{ kind: "attribute", values: ["4g"] },
		];
		const fit = hints.map((hint) =>
			kinds.map(
				(kind) => parse([hour, { name: "hinted", from, hint, ...kind }]).ok,
			),
		);
		expect(fit).toEqual([
			[true, false, false, false],
			[false, true, false, true],
			[false, false, true, false],
			[false, true, false, true],
		]);
	});

	it.each<[string, object, string, string]>([
		[
			"a time of day from elsewhere",
			{ ...hour, from: "profile" },
			"from",
			"The time of day is made of the time of the request and its zone, so it is from: request, not profile.",
		],
		[
			"a usual hour that is none",
			{ ...hour, missing: "mean", mean: 24 },
			"mean",
			"Must be less than 24.",
		],
		[
			"a usual hour that is not said",
			{ ...hour, missing: "mean" },
			"mean",
			"With missing: mean, give the hour that stands in, such as mean: 8.5.",
		],
		[
			"texts of an attribute of numbers",
			{ ...bitrate, values: ["high"] },
			"values",
			"values lists texts; leave it out with type: number.",
		],
		[
			"a hint to what the request does not give",
			{ ...bitrate, from: "profile", hint: "bitrate" },
			"hint",
			"A hint comes with the request, so it goes with from: request, not profile.",
		],
		[
			"a hint to an hour, which none gives",
			{ ...hour, hint: "saveData" },
			"hint",
			"saveData is true or false, for kind: boolean, and this feature is not.",
		],
		[
			"a zone that is a number",
			{ name: "timeZone", from, kind: "number" },
			"kind",
			"timeZone says where the unit is, for the time of day, so its kind must be attribute or category, not number. Or use another name.",
		],
	])("are refused for %s", (_, feature, path, message) => {
		const result = parse([{ ...hour, name: "other" }, feature]);
		expect(result.ok ? [] : result.problems).toEqual([
			{ path: `context.features[1].${path}`, message },
		]);
	});

	it("that name the zone may be of any kind where nothing is made of it", () => {
		expect(parse([{ name: "timeZone", from, kind: "number" }]).ok).toBe(true);
	});
});
