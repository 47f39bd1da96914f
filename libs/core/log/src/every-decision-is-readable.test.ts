import fc from "fast-check";
import { expect, test } from "vitest";
import { parseExperiment } from "#core/experiment";
import {
	aDecision,
	aDefinition,
	idAt,
} from "../../../../test/support/builders.js";
import { decodeMessage, encodeDecisions, LOG_SUBJECT } from "./index.js";

/** Names that JavaScript knows beside those that people choose: each either refused with the experiment, or safe in a log row. */
const name = fc.oneof(
	fc.constantFrom(
		"constructor",
		"prototype",
		"hasOwnProperty",
		"toString",
		"valueOf",
		"a",
		"Z9",
	),
	fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,12}$/),
);

test("every decision of an experiment that was accepted can be read back from the log", () => {
	fc.assert(
		fc.property(name, name, (arm, feature) => {
			const parsed = parseExperiment({
				key: "any",
				arms: [
					{ key: arm, eligible: `context.${feature} == true` },
					{ key: `${arm}2` },
				],
				context: {
					features: [{ name: feature, from: "request", kind: "boolean" }],
				},
				policy: { kind: "linucb" },
				reward: { window: "30m", outcomes: [{ type: "play", value: 1 }] },
			});
			fc.pre(parsed.ok);
			if (!parsed.ok) return;
			const definition = aDefinition(parsed.value);
			const row = aDecision(definition, {
				id: idAt(1_790_000_000_000, 1),
				arm: `${arm}2`,
				context: { [feature]: false },
				eligible: [1],
				excluded: { [arm]: "rule" },
				means: new Float64Array(1),
				propensities: Float64Array.of(1),
				propensity: 1,
			});
			const publisher = {
				boot: "019b0000-0000-7000-8000-000000000000",
				sequence: 1,
			};
			const decoded = decodeMessage(
				LOG_SUBJECT,
				encodeDecisions([row], publisher),
			);
			expect(decoded.items).toEqual([{ ok: true, value: row }]);
		}),
	);
});
