import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	everyField,
	fieldsOfSchema,
	fieldsUsed,
} from "../../../../test/support/every-field.js";
import { parse, parsed } from "../test/judged.js";
import { BUILT_IN_METRICS, renderExperiment } from "./index.js";

describe("the document form", () => {
	it("comes back from everything that can be written", () => {
		for (const document of everyField) {
			const experiment = parsed(document);
			expect(parsed(renderExperiment(experiment))).toEqual(experiment);
			expect(
				JSON.stringify(renderExperiment(parsed(renderExperiment(experiment)))),
			).toBe(JSON.stringify(renderExperiment(experiment)));
		}
		expect(
			fieldsOfSchema().filter(
				(field) =>
					!everyField.some((document) => fieldsUsed(document).includes(field)),
			),
		).toEqual([]);
	});

	it("of any metrics, guardrails, segments and schedule parses to the same experiment", () => {
		fc.assert(
			fc.property(anyAnalysis, (analysis) => {
				const result = parse(analysis);
				if (!result.ok) throw new Error(JSON.stringify(result.problems));
				expect(
					parsed(JSON.parse(JSON.stringify(renderExperiment(result.value)))),
				).toEqual(result.value);
			}),
			{ numRuns: 300 },
		);
	});
});

const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const some = (least: number, most: number) =>
	fc.double({ min: least, max: most, noNaN: true, noDefaultInfinity: true });
const within = fc.integer({ min: 1, max: 1_800_000 }).map((ms) => `${ms}ms`);
const builtIn = fc.constantFrom(
	...Object.keys(BUILT_IN_METRICS).filter(
		(name) => !("ownSpan" in BUILT_IN_METRICS[name as "reward"]),
	),
);
const anyAnalysis = fc
	.record({
		own: fc.uniqueArray(fc.constantFrom("dislikes", "shares", "worth"), {
			maxLength: 3,
		}),
		metric: fc.record({
			event: fc.constantFrom("dislike", "share"),
			per: fc.constantFrom(undefined, "decision", "impression", "unit", "play"),
			count: fc.constantFrom(undefined, "once", "each", "value"),
			within: optional(within),
			cap: optional(some(2 ** -12, 1_000)),
			unit: fc.constantFrom(undefined, "share", "euros"),
			better: fc.constantFrom(undefined, "higher", "lower"),
		}),
		primary: optional(
			fc.record({
				metric: fc.constant("reward"),
				smallestEffect: some(1e-6, 100),
				plannedUnits: fc.integer({ min: 200, max: 1e9 }),
				spread: optional(some(1e-6, 100)),
			}),
		),
		secondary: fc.uniqueArray(
			builtIn.filter((name) => name !== "reward"),
			{ maxLength: 4 },
		),
		guardrails: fc.array(
			fc.record({
				metric: builtIn,
				limit: fc.oneof(
					fc.record({ max: some(-10, 10) }),
					fc.record({ min: some(-10, 10) }),
					fc.record({
						versus: fc.constant("control"),
						margin: optional(some(0, 1)),
					}),
				),
				action: fc.constantFrom("alert", "pause", "control"),
				within: optional(within),
				firstLook: optional(
					fc.record({
						decisions: optional(fc.integer({ min: 1, max: 1e9 })),
						units: optional(fc.integer({ min: 2, max: 1e9 })),
					}),
				),
			}),
			{ maxLength: 4 },
		),
		segments: optional(fc.subarray(["device", "headphones"])),
		covariate: fc.constantFrom(undefined, "loyalty"),
		start: optional(
			fc.integer({ min: 1_000_000_000_000, max: 2_000_000_000_000 }),
		),
		stop: optional(
			fc.integer({ min: 2_000_000_000_001, max: 3_000_000_000_000 }),
		),
	})
	.map(
		({
			own,
			metric,
			primary,
			secondary,
			guardrails,
			segments,
			covariate,
			start,
			stop,
		}) => ({
			metrics: {
				primary,
				secondary,
				define: own.map((name) => ({ name, ...metric })),
			},
			guardrails: guardrails.map(({ limit, ...guardrail }) => ({
				...guardrail,
				...limit,
			})),
			segments,
			covariate,
			schedule: {
				start: start === undefined ? undefined : new Date(start).toISOString(),
				stop: stop === undefined ? undefined : new Date(stop).toISOString(),
			},
		}),
	)
	.map((analysis) => JSON.parse(JSON.stringify(analysis)));
