import { expect, it } from "vitest";
import { parseExperiment, renderExperiment } from "./index.js";

const about = (enrichBudgetMs: unknown) =>
	parseExperiment({
		key: "e",
		arms: [{ key: "a" }],
		context: {
			...(enrichBudgetMs !== undefined && { enrichBudgetMs }),
			features: [{ name: "taste", from: "profile", kind: "number" }],
		},
		policy: { kind: "linucb" },
		reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
	});

it("how long a decision may wait for a profile comes back from the rendered form, also where it is not said", () => {
	for (const said of [undefined, 1, 50, 1_000]) {
		const parsed = about(said);
		if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
		expect(parsed.value.context.enrichBudgetMs).toBe(said);
		expect(Object.hasOwn(parsed.value.context, "enrichBudgetMs")).toBe(
			said !== undefined,
		);
		const again = parseExperiment(renderExperiment(parsed.value));
		expect(again.ok && again.value).toEqual(parsed.value);
	}
});

it("is a whole number of milliseconds from 1 to 1000", () => {
	for (const wrong of [0, -5, 1_001, 2.5, "20", null]) {
		const parsed = about(wrong);
		expect(parsed.ok ? [] : parsed.problems.map(({ path }) => path)).toEqual([
			"context.enrichBudgetMs",
		]);
	}
});
