import { expect, it } from "vitest";
import { findJsonProblem } from "./index.js";

it("accepts what JSON can say", () => {
	const value = { text: "ü😀", list: [1, -0.5, null, true], deep: { er: {} } };
	expect(findJsonProblem(value)).toBeNull();
	expect(
		findJsonProblem(JSON.parse("[".repeat(33) + "]".repeat(33))),
	).toBeNull();
});

it.each<[string, unknown, string, string]>([
	["NaN", { a: [1, Number.NaN] }, "a[1]", "NaN is not a finite number."],
	[
		"undefined",
		{ a: undefined },
		"a",
		"A value of type undefined is not JSON.",
	],
	["a function", [() => 1], "[0]", "A value of type function is not JSON."],
	["a Date", { at: new Date(0) }, "at", "Not a JSON value."],
	["a NUL in a key", { "a\u0000": 1 }, "", "A key holds a NUL"],
	["half a surrogate pair", { a: "\udc00" }, "a", "Holds a NUL or half"],
	[
		"33 levels",
		JSON.parse("[".repeat(34) + "]".repeat(34)),
		"[0]".repeat(33),
		"Nested deeper than 32",
	],
	[
		"200,000 values",
		Array(200_000).fill(1),
		"",
		"Holds more than 100000 values",
	],
	[
		"an unsafe key",
		JSON.parse('{"a":{"__proto__":1}}'),
		"a.__proto__",
		"The key __proto__ is not allowed",
	],
])("refuses %s, with its path", (_, value, path, message) => {
	const problem = findJsonProblem(value);
	expect(problem?.path).toBe(path);
	expect(problem?.message).toContain(message);
});

it("counts shared parts each time they occur, so that they cannot multiply in silence", () => {
	let value: unknown = [1];
	for (let i = 0; i < 30; i++) value = [value, value];
	expect(findJsonProblem(value)?.message).toContain(
		"Holds more than 100000 values",
	);
});

it("keeps the path of a problem short", () => {
	const key = "k".repeat(1000);
	expect(
		findJsonProblem({ [key]: Number.NaN })?.path.length,
	).toBeLessThanOrEqual(201);
});
