import { describe, expect, it } from "vitest";
import { readOptions } from "./options.js";

describe("the demo's options", () => {
	it("are all decisions, seed 2026 and a screen, unless said otherwise", () => {
		expect(readOptions([])).toEqual({
			json: false,
			seed: "2026",
			limit: Number.POSITIVE_INFINITY,
			help: false,
		});
		expect(
			readOptions(["--json", "--seed", "7", "--limit", "500"]),
		).toMatchObject({ json: true, seed: "7", limit: 500 });
	});

	it("names an option that is unknown or no number", () => {
		expect(() => readOptions(["--jsn"])).toThrow("--jsn");
		expect(() => readOptions(["--limit", "many"])).toThrow("--limit many");
	});
});
