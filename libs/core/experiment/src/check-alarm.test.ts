import { describe, expect, it } from "vitest";
import { diffExperiment, parseExperiment, renderExperiment } from "./index.js";

const from = "request";
const tempo = { name: "tempo", from, kind: "number", mean: 120, scale: 30 };
const device = {
	name: "device",
	from,
	kind: "category",
	levels: ["phone", "tv"],
};
const genre = { name: "genre", from, kind: "attribute" };

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

describe("from when on a feature's health alarms", () => {
	it("comes back from the rendered form", () => {
		const experiment = parsed(
			{ ...device, alarm: { psi: 0.5, missing: 0, unseen: 1 } },
			{ ...tempo, alarm: { missing: 0.4 } },
			{ ...genre, alarm: { missing: 0.9 } },
			{ ...genre, name: "mood", values: ["calm"], alarm: { psi: 0.1 } },
		);
		const again = parseExperiment(renderExperiment(experiment));
		expect(again.ok && again.value).toEqual(experiment);
	});

	it("is told as a change, but makes no new version: it changes nothing of what is learned", () => {
		const diff = diffExperiment(
			parsed({ ...tempo, alarm: { psi: 0.25 } }),
			parsed({ ...tempo, alarm: { psi: 0.5 } }),
		);
		expect(diff.newVersion).toBe(false);
		expect(diff.changes).toEqual([
			"context.features[tempo].alarm.psi: 0.25 → 0.5",
		]);
		expect(
			diffExperiment(parsed(tempo), parsed({ ...tempo, scale: 20 })).newVersion,
		).toBe(true);
	});

	it.each<[string, object, string, string]>([
		[
			"levels of what has none",
			{ ...tempo, alarm: { unseen: 0.1 } },
			"features[1].alarm.unseen",
			"Only a category has levels that can be unseen, not a feature of kind number: leave unseen out.",
		],
		[
			"drift of texts that are not listed",
			{ ...genre, alarm: { psi: 0.1 } },
			"features[1].alarm.psi",
			"Texts that the definition does not list have no bins to compare: list them under values, or leave psi out.",
		],
		[
			"a share above 1",
			{ ...tempo, alarm: { missing: 20 } },
			"features[1].alarm.missing",
			"Must be at most 1.",
		],
		[
			"an index of nothing",
			{ ...tempo, alarm: { psi: 0 } },
			"features[1].alarm.psi",
			"Must be above 0.",
		],
		[
			"a product",
			{ kind: "product", of: ["tempo", "device"], alarm: { missing: 0.1 } },
			"features[1].alarm",
			"A product is made of two features, and what is said of them holds for it: leave alarm out.",
		],
	])("is refused for %s", (_, feature, path, message) => {
		const result = parse({ ...tempo, name: "first" }, feature, device);
		expect(result.ok ? [] : result.problems).toContainEqual({
			path: `context.${path}`,
			message,
		});
	});
});
