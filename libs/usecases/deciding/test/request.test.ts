import { describe, expect, it } from "vitest";
import { z } from "zod";
import { SegueError } from "#usecases/errors";
import {
	decisionBatchSchema,
	decisionRequestSchema,
	parseDecisionBatch,
	parseDecisionRequest,
} from "../src/index.js";

const request = { experiment: "morning-prompt", unit: "u1" };

function problems(raw: unknown): Record<string, string> {
	try {
		parseDecisionRequest(raw);
	} catch (error) {
		expect(error).toBeInstanceOf(SegueError);
		const found = error as SegueError;
		expect(found.code).toBe("invalid");
		return Object.fromEntries(
			found.problems.map(({ path, message }) => [path, message]),
		);
	}
	throw new Error("It was not refused.");
}

describe("a decision request", () => {
	it("needs an experiment and a unit, and may have the rest", () => {
		expect(parseDecisionRequest(request)).toEqual(request);
		const full = {
			...request,
			context: { hour: 8 },
			session: "s",
			eligible: ["a"],
			requestId: "r",
			mode: "best",
			explain: true,
		};
		expect(parseDecisionRequest(full)).toEqual(full);
	});

	it("is refused with every problem and its path", () => {
		const found = problems({
			experiment: "Morning",
			unit: "",
			session: "a\u0000b",
			eligible: ["ok", "not ok"],
			context: [],
			explain: "yes",
		});
		expect(Object.keys(found).sort()).toEqual([
			"context",
			"eligible[1]",
			"experiment",
			"explain",
			"session",
			"unit",
		]);
	});

	it("has no other key: the refusal names the nearest", () => {
		expect(problems({ ...request, contxt: {} })).toEqual({
			contxt: expect.stringContaining('"context"'),
		});
	});

	it("must be an object", () => {
		for (const raw of [null, 5, "text", [], undefined])
			expect(problems(raw)).toHaveProperty("");
	});

	it("takes 256 printable characters of any script as a unit, not more, no line break, no half surrogate", () => {
		const unit = `${"é漢🎧".repeat(85)}x`;
		expect(parseDecisionRequest({ ...request, unit }).unit).toBe(unit);
		for (const bad of ["x".repeat(257), "a\nb", "\ud800", "\u2028"])
			expect(problems({ ...request, unit: bad })).toHaveProperty("unit");
	});

	it("keeps its context as it came, __proto__ key included, and pollutes nothing", () => {
		const raw = JSON.parse(
			'{"experiment": "e", "unit": "u", "context": {"__proto__": {"polluted": 1}}}',
		);
		const { context } = parseDecisionRequest(raw);
		expect(Object.keys(context as object)).toEqual(["__proto__"]);
		expect(({} as { polluted?: number }).polluted).toBeUndefined();
		const own = JSON.parse('{"experiment": "e", "unit": "u", "__proto__": {}}');
		expect(problems(own)).toHaveProperty("__proto__");
	});

	it("is no trouble when nested ten thousand deep", () => {
		const deep = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;
		const raw = JSON.parse(`{"experiment": "e", "unit": ${deep}}`);
		expect(problems(raw)).toHaveProperty("unit");
		const context = JSON.parse(`{"x": ${deep}}`);
		expect(parseDecisionRequest({ ...request, context }).context).toBe(context);
	});

	it("has a schema that OpenAPI can show", () => {
		expect(z.toJSONSchema(decisionRequestSchema)).toMatchObject({
			type: "object",
			required: ["experiment", "unit"],
			additionalProperties: false,
		});
		expect(z.toJSONSchema(decisionBatchSchema)).toMatchObject({
			properties: { decisions: { maxItems: 500 } },
		});
	});
});

describe("a batch", () => {
	it("holds 1 to 500 decisions of any shape, each judged later", () => {
		expect(parseDecisionBatch({ decisions: [1, request] })).toHaveLength(2);
		expect(() => parseDecisionBatch({ decisions: [] })).toThrow(SegueError);
		const many = Array.from({ length: 501 }, () => request);
		expect(() => parseDecisionBatch({ decisions: many })).toThrow(SegueError);
		expect(() => parseDecisionBatch({})).toThrow(SegueError);
	});
});
