import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rules } from "./rules.js";
import { parse, root, shippedSources } from "./sources.js";

const MINUTES = 60_000;

/** Exit code and words of a tool of the project's own. */
function tool(name: string, args: readonly string[]): string {
	const { status, stdout, stderr } = spawnSync(
		join(root, "node_modules/.bin", name),
		args,
		{
			cwd: root,
			encoding: "utf8",
			maxBuffer: 64 * 1_048_576,
		},
	);
	return status === 0 ? "clean" : `exit ${status}\n${stdout}\n${stderr}`;
}

describe("the house", () => {
	it(
		"is formatted and linted",
		() => {
			expect(tool("biome", ["ci", "--max-diagnostics=200", "."])).toBe("clean");
		},
		5 * MINUTES,
	);

	it(
		"has no type errors",
		() => {
			expect(tool("tsc", ["--noEmit"])).toBe("clean");
		},
		5 * MINUTES,
	);

	it(
		"imports downward only, through each lib's one door",
		() => {
			const args = ["--config", ".dependency-cruiser.cjs", "apps", "libs"];
			expect(tool("depcruise", args)).toBe("clean");
		},
		5 * MINUTES,
	);
});

describe("every shipped file", () => {
	const sources = shippedSources();

	it("is looked at", () => {
		expect(sources.length).toBeGreaterThan(100);
	});

	for (const { sentence, broken, example } of rules) {
		it(`obeys: ${sentence}`, () => {
			expect(sources.flatMap(broken)).toEqual([]);
		});

		it(`would be found out: ${sentence}`, () => {
			expect(broken(parse(example.path, example.text))).not.toEqual([]);
		});
	}
});
