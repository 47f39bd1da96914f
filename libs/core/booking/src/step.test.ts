import { expect, test } from "vitest";
import { uuidAtTime } from "#core/log";
import {
	aDecision,
	aDefinition,
	anExperiment,
} from "../../../../test/support/builders.js";
import { BookingStep } from "./index.js";

test("while a guardrail holds the policy neither group is compared: control alone would have the new listeners and the later hours", () => {
	const experiment = anExperiment({
		key: "held",
		arms: [{ key: "a" }, { key: "b" }],
		policy: { kind: "linucb" },
		reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
	});
	const booked = (held: boolean) => {
		const definition = aDefinition(experiment, { held });
		const row = { id: uuidAtTime(1e12), arm: "a", group: "control" } as const;
		const step = new BookingStep([], [], {
			hour: 0,
			after: null,
			turns: [],
			turnsSince: 0,
			visitsSince: uuidAtTime(0),
			holdsSince: 0,
		});
		step.book({ row: aDecision(definition, row), definition, outcomes: [] });
		return step.changes();
	};
	expect(booked(false).units).toHaveLength(1);
	const { units, sums, draws, blocks, hours } = booked(true);
	expect([units, sums, draws, blocks]).toEqual([[], [], [], []]);
	expect(hours).toMatchObject([{ group: "control", arm: "a", decisions: 1 }]);
});
