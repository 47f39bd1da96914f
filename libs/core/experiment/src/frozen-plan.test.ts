import { expect, test } from "vitest";
import type { Experiment } from "./experiment.js";
import { frozenProblems } from "./frozen-plan.js";
import { parseExperiment } from "./parse-experiment.js";

function withMetrics(define: readonly object[]): Experiment {
	const parsed = parseExperiment({
		key: "morning",
		arms: [{ key: "a" }, { key: "b" }],
		policy: { kind: "linucb" },
		reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
		metrics: { secondary: ["dislikes"], define },
	});
	if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
	return parsed.value;
}

const dislikes = { name: "dislikes", event: "dislike", unit: "share" };
const shares = { name: "shares", event: "share", unit: "share" };

test("what an own metric counts is fixed while its sums grow, whichever role it has; another may be added", () => {
	const before = withMetrics([dislikes]);
	const paths = (define: readonly object[], state: "running" | "stopped") =>
		frozenProblems({ experiment: before, state }, withMetrics(define)).map(
			({ path }) => path,
		);
	const changed = [{ ...dislikes, within: "1m" }];
	expect(paths(changed, "running")).toEqual(["metrics.define"]);
	expect(paths(changed, "stopped")).toEqual([]);
	expect(paths([shares, dislikes], "running")).toEqual([]);
});
