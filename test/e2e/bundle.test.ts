import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const folder = fileURLToPath(new URL("../../dist/run/", import.meta.url));
const filesThatEnd = (end: string) =>
	readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
		file.endsWith(end),
	);
const read = (file: string) => readFileSync(join(folder, file), "utf8");

/** By the maps, which say where each line of the bundle comes from. */
function packagesInside(): Set<string> {
	const sources = filesThatEnd(".map").flatMap(
		(file) => (JSON.parse(read(file)) as { sources: string[] }).sources,
	);
	return new Set(
		sources.flatMap(
			(source) =>
				/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1] ?? [],
		),
	);
}

test("every package whose code is given on in the bundle has its licence beside it", () => {
	const inside = packagesInside();
	expect(inside.size).toBeGreaterThan(50);
	const licences = read("LICENCES.txt");
	const named = [...licences.matchAll(/^(\S+) \d+\.\d+\.\d+\S*: \S/gm)];
	expect(new Set(named.map(([, name]) => name))).toEqual(inside);
	expect(licences).toContain(
		"The above copyright notice and this permission notice shall be",
	);
});

test("a start asks for nothing outside the bundle but Node's own modules", () => {
	const asked = filesThatEnd(".js").flatMap((file) =>
		[...read(file).matchAll(/^import (?:[^"]*? from )?"([^"]+)";$/gm)].map(
			([, name]) => name as string,
		),
	);
	expect(asked.length).toBeGreaterThan(20);
	const outside = asked.filter(
		(name) =>
			!name.startsWith(".") &&
			!builtinModules.includes(name.replace(/^node:/, "")),
	);
	expect(outside).toEqual([]);
});
