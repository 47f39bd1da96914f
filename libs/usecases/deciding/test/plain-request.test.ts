import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDecisionRequest } from "../src/plain-request.js";
import { decisionRequestSchema, parseDecisionRequest } from "../src/request.js";

const seed = Date.now() % 2 ** 31;

/** Texts near every bound: good keys, bad characters, too long, lone surrogates, line separators. */
const text = fc.oneof(
	fc.constantFrom("morning", "a", "arm.1", "x".repeat(64), "x".repeat(65)),
	fc.constantFrom("x".repeat(256), "x".repeat(257), "", " ", "é", "日本", "\n"),
	fc.constantFrom("\u2028", "\ud800", "\u0000", "😀", "constructor", "\x7f"),
	fc.string({ maxLength: 12, unit: "binary" }),
);
const anything = fc.oneof(
	text,
	fc.boolean(),
	fc.constantFrom("draw", "best", null, 0, undefined),
	fc.array(text, { maxLength: 3 }),
	fc.dictionary(text, fc.jsonValue(), { maxKeys: 3 }),
	fc.jsonValue(),
);
const keys = [
	"experiment",
	"unit",
	"context",
	"session",
	"eligible",
	"requestId",
	"mode",
	"explain",
];
const request = fc.record(
	{
		experiment: fc.constant("morning"),
		unit: fc.constant("listener"),
		context: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }),
		session: fc.constantFrom("s", "日本", "x".repeat(256)),
		eligible: fc.constant(["arm.1"]),
		requestId: fc.constant("r"),
		mode: fc.constantFrom("draw", "best"),
		explain: fc.boolean(),
	},
	{ requiredKeys: ["experiment", "unit"] },
);
const changed = fc
	.tuple(
		request,
		fc.oneof(fc.constantFrom(...keys, "unknown", "__proto__"), text),
		anything,
	)
	.map(([value, key, put]) => ({ ...value, [key]: put }));

describe("the quick check of a decision request", () => {
	it(`takes exactly what the schema takes (seed ${seed})`, () => {
		let taken = 0;
		const same = (made: unknown) => {
			// What comes is what JSON.parse makes.
			const raw: unknown = JSON.parse(JSON.stringify(made) ?? "null");
			const quick = isDecisionRequest(raw);
			expect(quick).toBe(decisionRequestSchema.safeParse(raw).success);
			if (quick) taken++;
		};
		fc.assert(fc.property(fc.oneof(request, changed, anything), same), {
			seed,
			numRuns: 3_000,
		});
		// Else the test would compare refusals only.
		expect(taken).toBeGreaterThan(300);
	});

	it("leaves what came through JSON with a key that changes prototypes to the schema", () => {
		const raw = JSON.parse('{"experiment":"a","unit":"u","__proto__":{}}');
		expect(isDecisionRequest(raw)).toBe(false);
		expect(() => parseDecisionRequest(raw)).toThrow("__proto__");
	});
});
