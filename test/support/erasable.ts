import type { Definition } from "#core/experiment";
import type { DecisionRow } from "#core/log";
import { aDecision, anExperiment, idAt } from "./builders.js";

/** Two arms, one number, two outcomes: for tests of what an erasure leaves. */
export const erasable = anExperiment({
	key: "erasure",
	arms: [{ key: "a" }, { key: "b" }],
	context: { features: [{ name: "v", from: "request", kind: "number" }] },
	policy: { kind: "linucb", alpha: 0.5 },
	reward: {
		window: "30m",
		range: [-1, 2],
		outcomes: [
			{ type: "play", value: 0.3 },
			{ type: "complete", value: 0.7 },
		],
	},
});

/** What is erased is older than the erasure. */
export const aMinuteAgo = () => Date.now() - 60_000;

/** A minute old, of both arms in turn. */
export function decisionsOf(
	definition: Definition,
	unit: string,
	count: number,
	first = 0,
): DecisionRow[] {
	const at = aMinuteAgo();
	return Array.from({ length: count }, (_, i) =>
		aDecision(definition, {
			id: idAt(at, first + i),
			arm: i % 2 === 0 ? "a" : "b",
			unit,
			context: { v: (i % 17) / 4 },
		}),
	);
}
