import { describe, expect, it } from "vitest";
import { MemoryContexts } from "#adapters/memory";
import type { Definition } from "#core/experiment";
import type { DecisionRow } from "#core/log";
import {
	aDecision,
	aDefinition,
	anExperiment,
	idAt,
} from "../../../../test/support/builders.js";
import { alarmSentence, FoldContext, WatchContext } from "../src/index.js";

const NOON = Date.UTC(2026, 0, 5, 12);
const document = {
	arms: [{ key: "a" }],
	policy: { kind: "linucb" },
	reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
};
const tempo = { name: "tempo", from: "request", kind: "number", scale: 50 };
const watched = aDefinition(
	anExperiment({
		...document,
		key: "watched",
		context: { features: [tempo, { ...tempo, name: "pace" }] },
	}),
);
const plain = aDefinition(
	anExperiment({ ...document, key: "plain", context: { features: [] } }),
	{ id: 2 },
);
const stopped = { ...watched, id: 3, state: "stopped" } as Definition;

function world(current: readonly Definition[]) {
	const rows: DecisionRow[] = [];
	const all = [watched, plain, stopped];
	const store = {
		all: async () => current,
		byIds: async (ids: readonly number[]) =>
			all.filter(({ id }) => ids.includes(id)),
	};
	const contexts = new MemoryContexts(() => rows, store);
	const watch = new WatchContext(
		store,
		new FoldContext(contexts, store),
		contexts,
		contexts,
		{ now: () => NOON },
	);
	const decide = (definition: Definition, count: number, from: number) => {
		for (let i = 0; i < count; i++) {
			const context = { tempo: from + (i % 100), pace: i % 100 };
			const id = idAt(NOON, rows.length);
			rows.push(aDecision(definition, { id, arm: "a", context }));
		}
	};
	return { watch, decide };
}

describe("a look at the contexts", () => {
	it("tells of running experiments with features, and of each alarm once", async () => {
		const { watch, decide } = world([watched, plain]);
		decide(watched, 1_000, 0);
		decide(plain, 10, 0);
		const before = await watch.execute();
		expect(before.contexts.map(({ experiment }) => experiment)).toEqual([
			"watched",
		]);
		expect(before.alarmed).toEqual([]);
		decide(watched, 400, 300);
		const { alarmed, contexts } = await watch.execute();
		expect(contexts[0]?.window.decisions).toBe(400);
		expect(
			alarmed.map(({ health }) => [health.feature, health.alarms]),
		).toEqual([["tempo", ["psi"]]]);
		expect(alarmSentence(alarmed[0] as never)).toMatch(
			/^The context of watched alarms \(psi\): tempo\. Is no longer what it was at launch \(PSI .+ See "A context alarms" in docs\/runbook\.md\.$/,
		);
		const after = await watch.execute();
		expect(after.alarmed).toEqual([]);
		expect(after.contexts[0]?.features[0]?.alarms).toEqual(["psi"]);
	});

	it("tells nothing of an experiment that is stopped", async () => {
		const { watch, decide } = world([stopped]);
		decide(watched, 1_400, 0);
		expect(await watch.execute()).toEqual({ contexts: [], alarmed: [] });
	});
});
