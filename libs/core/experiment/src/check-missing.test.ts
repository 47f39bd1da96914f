import { describe, expect, it } from "vitest";
import { diffExperiment, parseExperiment, renderExperiment } from "./index.js";

const from = "request";
const hour = { name: "hour", from, kind: "cyclic", period: 24 };
const device = {
	name: "device",
	from,
	kind: "category",
	levels: ["phone", "tv"],
};
const headphones = { name: "headphones", from, kind: "boolean" };
const tempo = { name: "tempo", from, kind: "number", mean: 120, scale: 30 };
const taste = { name: "taste", from, kind: "vector", length: 2 };
const activity = { name: "activity", from, kind: "attribute" };

const parse = (...features: readonly object[]) =>
	parseExperiment({
		key: "small",
		arms: [{ key: "a" }],
		context: { features },
		policy: { kind: "linucb" },
		reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
	});
function parsed(...features: readonly object[]) {
	const result = parse(...features);
	if (!result.ok) throw new Error(JSON.stringify(result.problems));
	return result.value;
}
const missing = "mean";

describe("how a feature is encoded without a value", () => {
	it("comes back from the rendered form, in every way there is", () => {
		const experiment = parsed(
			{ ...hour, missing, mean: 8 },
			{ ...device, missing, mean: { phone: 0.7, tv: 0.3 } },
			{ ...headphones, missing, mean: 0.4 },
			{ ...tempo, missing },
			{ ...taste, missing, mean: [0.5, -1] },
			{ ...tempo, name: "energy", missing: "indicator" },
			{ ...tempo, name: "valence", missing: "zero" },
		);
		const again = parseExperiment(renderExperiment(experiment));
		expect(again.ok && again.value).toEqual(experiment);
		expect(experiment.context.features[0]).toEqual({
			...hour,
			missing: "mean",
			mean: 8,
		});
	});

	it("that is zero is the same as none said", () => {
		const said = parsed({ ...tempo, missing: "zero" });
		expect(said).toEqual(parsed(tempo));
		expect(diffExperiment(said, parsed(tempo)).newVersion).toBe(false);
	});

	it("makes a new version when it changes, and so does its mean", () => {
		const newVersion = (before: object, after: object) =>
			diffExperiment(parsed(before), parsed(after)).newVersion;
		expect(newVersion(tempo, { ...tempo, missing: "indicator" })).toBe(true);
		expect(
			newVersion(
				{ ...headphones, missing, mean: 0.4 },
				{ ...headphones, missing, mean: 0.5 },
			),
		).toBe(true);
	});

	it("counts the coordinate that says so", () => {
		const long = { ...taste, length: 255 };
		expect(parse(long).ok).toBe(true);
		expect(parse({ ...long, missing: "indicator" })).toMatchObject({
			ok: false,
			problems: [{ path: "context.features" }],
		});
	});

	it.each<[string, object, string, string]>([
		[
			"a mean of a boolean that is not given",
			{ ...headphones, missing },
			"mean",
			"With missing: mean, give the share that is true, such as mean: 0.4.",
		],
		[
			"a mean of a cyclic value that is not given",
			{ ...hour, missing },
			"mean",
			"With missing: mean, give the value that stands in, such as mean: 8.",
		],
		[
			"shares of levels that are not given",
			{ ...device, missing },
			"mean",
			"With missing: mean, give each level's share, such as mean: { phone: 0.6, desktop: 0.3 }.",
		],
		[
			"a mean vector that is not given",
			{ ...taste, missing },
			"mean",
			"With missing: mean, give a list of numbers, as many as the vector has.",
		],
		[
			"a mean vector of another length",
			{ ...taste, missing, mean: [1] },
			"mean",
			"Must have 2 numbers, as the vector, not 1.",
		],
		[
			"the share of a level that is not there",
			{ ...device, missing, mean: { phne: 0.5 } },
			"mean.phne",
			"There is no such level. Did you mean phone?",
		],
		[
			"shares that are more than all",
			{ ...device, missing, mean: { phone: 0.7, tv: 0.7 } },
			"mean",
			"The shares add up to 1.4, and cannot be more than 1 together.",
		],
		[
			"a share above 1",
			{ ...headphones, missing, mean: 2 },
			"mean",
			"Must be at most 1.",
		],
		[
			"a mean that nothing asks for",
			{ ...headphones, mean: 0.4 },
			"mean",
			"mean goes with missing: mean; leave it out, or say missing: mean.",
		],
		[
			"a way that there is not",
			{ ...tempo, missing: "median" },
			"missing",
			'Must be one of zero, mean, indicator, not "median".',
		],
		[
			"an attribute, which is not encoded",
			{ ...activity, missing: "indicator" },
			"missing",
			"An attribute is not encoded, so there is nothing to say of how: leave missing out.",
		],
	])("is refused for %s", (_, feature, path, message) => {
		const result = parse(tempo, feature);
		expect(result.ok ? [] : result.problems).toEqual([
			{ path: `context.features[1].${path}`, message },
		]);
	});
});
